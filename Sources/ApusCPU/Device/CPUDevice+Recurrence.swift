package import ApusCompute
import CApusKernels

extension CPUDevice {
    package func convolve(
        _ x: Tensor, _ weight: Tensor, bias: Tensor?, hasSiLU: Bool, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) throws(ComputeError) {
        let tokens = batch.positions.shape.count
        guard x.shape.rank == 2, x.shape[0] == tokens, weight.shape.rank == 2, weight.shape[1] == x.shape[1],
            weight.shape[0] > 0
        else { throw .mismatch("a convolution of \(x.shape) by \(weight.shape)") }
        let (channels, taps) = (x.shape[1], weight.shape[0])
        try check(y, is: [tokens, channels], "the result of a convolution")
        if let bias { try check(bias, is: [channels], "the bias of a convolution") }
        try check(state, is: [state.shape.dimensions.first ?? 0, taps - 1, channels], "the state of a convolution")
        var task = apus_convolution()
        task.weight = UnsafePointer(try floats(weight))
        task.bias = try bias.map { bias throws(ComputeError) in UnsafePointer(try floats(bias)) }
        (task.channels, task.taps, task.has_silu) = (channels, taps, hasSiLU)
        let (source, target, states) = (try floats(x), try floats(y), try floats(state))
        let size = (taps - 1) * channels
        let runs = try runs(batch, slots: state.shape[0])
        nonisolated(unsafe) let tasks = runs.map { run in
            var own = task
            own.x = UnsafePointer(source + run.tokens.lowerBound * channels)
            own.y = target + run.tokens.lowerBound * channels
            own.state = states + run.slot * size
            (own.tokens, own.begins) = (run.tokens.count, run.begins)
            return own
        }
        // Whole lines, so that threads write none together.
        let unit = 64
        let units = (channels + unit - 1) / unit
        forEachRange(of: runs.count * units, costPerItem: unit * taps * tokens / max(runs.count, 1)) { range in
            for index in range {
                let (run, part) = index.quotientAndRemainder(dividingBy: units)
                withUnsafePointer(to: tasks[run]) {
                    kernels.convolve($0, part * unit, min((part + 1) * unit, channels))
                }
            }
        }
    }

    package func advance(
        _ mixed: Tensor, a: Tensor, b: Tensor, z: Tensor, rule: DeltaRule, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) throws(ComputeError) {
        let tokens = batch.positions.shape.count
        let (heads, keyDim, valueDim) = (rule.valueHeads, rule.keyDim, rule.valueDim)
        guard rule.keyHeads > 0, heads % rule.keyHeads == 0, keyDim > 0, valueDim > 0 else {
            throw .mismatch("\(heads) heads of values over \(rule.keyHeads) of keys")
        }
        try check(mixed, is: [tokens, rule.mixedWidth], "queries, keys and values of the delta rule")
        for tensor in [a, b] { try check(tensor, is: [tokens, heads], "what the delta rule forgets and learns") }
        for tensor in [z, y] {
            try check(tensor, is: [tokens, rule.valueWidth], "gates and results of the delta rule")
        }
        for tensor in [rule.decay, rule.offset] { try check(tensor, is: [heads], "the decay of the delta rule") }
        try check(
            state, is: [state.shape.dimensions.first ?? 0, heads, keyDim, valueDim], "the state of the delta rule")
        let norm = try kernelNorm(rule.norm, width: valueDim)
        var task = apus_delta()
        task.decay = UnsafePointer(try floats(rule.decay))
        task.offset = UnsafePointer(try floats(rule.offset))
        (task.norm, task.epsilon) = (norm.weight, norm.epsilon)
        (task.key_heads, task.value_heads) = (rule.keyHeads, heads)
        (task.key_dim, task.value_dim) = (keyDim, valueDim)
        let (source, target, states) = (try floats(mixed), try floats(y), try floats(state))
        let (forgets, learns, gates) = (try floats(a), try floats(b), try floats(z))
        nonisolated(unsafe) let tasks = try runs(batch, slots: state.shape[0]).map { run in
            var own = task
            let first = run.tokens.lowerBound
            own.mixed = UnsafePointer(source + first * rule.mixedWidth)
            own.a = UnsafePointer(forgets + first * heads)
            own.b = UnsafePointer(learns + first * heads)
            own.z = UnsafePointer(gates + first * rule.valueWidth)
            own.y = target + first * rule.valueWidth
            own.state = states + run.slot * heads * keyDim * valueDim
            (own.tokens, own.begins) = (run.tokens.count, run.begins)
            return own
        }
        let cost = keyDim * valueDim * tokens / max(tasks.count, 1)
        forEachRange(of: tasks.count * heads, costPerItem: cost) { range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * keyDim) { room in
                for index in range {
                    let (run, head) = index.quotientAndRemainder(dividingBy: heads)
                    var own = tasks[run]
                    own.scratch = room.baseAddress
                    kernels.delta_scan(&own, head)
                }
            }
        }
    }

    /// Tokens of one sequence that follow each other.
    private struct Run {
        var slot: Int
        var tokens: Range<Int>
        var begins: Bool
    }

    private func runs(_ batch: AttentionBatch, slots: Int) throws(ComputeError) -> [Run] {
        let sequences = try integers(batch.sequences)
        let positions = try integers(batch.positions)
        var runs: [Run] = []
        for token in 0..<batch.positions.shape.count {
            let slot = Int(sequences[token])
            guard (0..<slots).contains(slot) else { throw .mismatch("sequence \(slot) of \(slots) states") }
            if let last = runs.last, last.slot == slot, positions[token] == positions[token - 1] + 1 {
                runs[runs.count - 1].tokens = last.tokens.lowerBound..<token + 1
            } else {
                runs.append(Run(slot: slot, tokens: token..<token + 1, begins: positions[token] == 0))
            }
        }
        return runs
    }
}
