package import ApusCompute
import CApusKernels

extension CPUDevice {
    package func prepareHeads(
        query: Tensor, key: Tensor?, value: Tensor?, rule: HeadRule, angles: Tensor?, in cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) throws(ComputeError) {
        let tokens = batch.slots.shape.count
        let headDim = layout.headDim
        let keyWidth = layout.kvHeads * headDim
        guard headDim > 0, query.shape.rank == 2, query.shape[0] == tokens, query.shape[1] % headDim == 0
        else { throw .mismatch("heads of \(headDim) in queries of shape \(query.shape) for \(tokens) tokens") }
        if let key { try check(key, is: [tokens, keyWidth], "keys") }
        if let value { try check(value, is: [tokens, keyWidth], "values") }
        guard (key == nil) == (value == nil) else { throw .mismatch("keys without values") }
        let rotation = try angles.map { angles throws(ComputeError) in
            try Rotation(angles, tokens: tokens, headDim: headDim, pairs: rule.turnsNeighbours, self)
        }
        let queryWidth = query.shape[1]
        let queries = try heads(query, rule.query, headDim)
        let keys = try key.map { key throws(ComputeError) in try heads(key, rule.key, headDim) }
        let values = try value.map { value throws(ComputeError) in try heads(value, rule.value, headDim) }
        let turning = [queries] + (keys.map { [$0] } ?? [])
        let all = turning + (values.map { [$0] } ?? [])
        if let scales = rule.queryScales { try check(scales, is: [tokens], "scales of queries") }
        nonisolated(unsafe) let scales = try rule.queryScales.map { scales throws(ComputeError) in try floats(scales) }
        nonisolated(unsafe) let slots = try integers(batch.slots)
        nonisolated(unsafe) let cacheKeys = try pointer(cache.keys)
        nonisolated(unsafe) let cacheValues = try pointer(cache.values)
        if checksIndices { try checkSlots(UnsafeBufferPointer(start: slots, count: tokens), layout) }
        let type = try cacheType(layout)
        forEachRange(of: tokens, costPerItem: queryWidth + keyWidth * 5) { range in
            func clip() {
                if let limit = rule.clip { for heads in all { heads.clip(range, within: limit) } }
            }
            if !rule.clipsNormed { clip() }
            if !rule.normsComeLast { for heads in turning { heads.normalize(range, kernels) } }
            if rule.clipsNormed { clip() }
            values?.normalize(range, kernels)
            if let rotation { for heads in turning { heads.turn(range, by: rotation, kernels) } }
            if rule.normsComeLast { for heads in turning { heads.normalize(range, kernels) } }
            if let scales { queries.scale(range, by: scales) }
            guard let keys, let values else { return }
            kernels.store_kv(
                keys.row(range.lowerBound), values.row(range.lowerBound), cacheKeys, cacheValues, type, layout.blocks,
                slots + range.lowerBound, range.count, layout.kvHeads, headDim)
        }
    }

    private func heads(_ tensor: Tensor, _ norm: HeadNorm?, _ headDim: Int) throws(ComputeError) -> Heads {
        let rowWidth = tensor.shape[1]
        guard let norm else { return Heads(try floats(tensor), rowWidth, nil, headDim) }
        let width = norm.spansHeads ? rowWidth : headDim
        let count = norm.norm.weight.shape.count
        guard count == width || count == rowWidth else {
            throw .mismatch("a norm of heads of \(headDim) with \(count) weights for rows of \(rowWidth)")
        }
        let own = Heads.Norm(norm: try kernelNorm(norm.norm, width: count), width: width, sets: count / width)
        return Heads(try floats(tensor), rowWidth, own, headDim)
    }
}

/// The angles of a call's tokens.
private struct Rotation: @unchecked Sendable {
    let angles: UnsafePointer<Float>
    /// Elements of each head that turn.
    let turned: Int
    let pairs: Bool

    init(_ tensor: Tensor, tokens: Int, headDim: Int, pairs: Bool, _ device: CPUDevice) throws(ComputeError) {
        guard tensor.shape.rank == 3, tensor.shape[2] * 2 <= headDim else {
            throw .mismatch("rotary angles of shape \(tensor.shape) for heads of \(headDim)")
        }
        try device.check(tensor, is: [tokens, 2, tensor.shape[2]], "rotary angles")
        angles = UnsafePointer(try device.floats(tensor))
        turned = tensor.shape[2] * 2
        self.pairs = pairs
    }
}

/// The heads of queries, keys or values: [tokens, heads, headDim].
private struct Heads: @unchecked Sendable {
    struct Norm {
        let norm: apus_norm
        let width: Int
        /// Rows of weights that take turns.
        let sets: Int
    }

    private let elements: UnsafeMutablePointer<Float>
    private let rowWidth: Int
    private let norm: Norm?
    private let headDim: Int

    init(_ elements: UnsafeMutablePointer<Float>, _ rowWidth: Int, _ norm: Norm?, _ headDim: Int) {
        (self.elements, self.rowWidth, self.norm, self.headDim) = (elements, rowWidth, norm, headDim)
    }

    func row(_ token: Int) -> UnsafeMutablePointer<Float> { elements + token * rowWidth }

    func normalize(_ tokens: Range<Int>, _ kernels: apus_kernels) {
        guard let norm else { return }
        let first = row(tokens.lowerBound)
        withUnsafePointer(to: norm.norm) {
            kernels.norm_rows(
                $0, first, first, tokens.count * (rowWidth / norm.width), norm.width, norm.sets, 1, false)
        }
    }

    func turn(_ tokens: Range<Int>, by rotation: Rotation, _ kernels: apus_kernels) {
        kernels.rotary(
            row(tokens.lowerBound), rotation.angles + tokens.lowerBound * rotation.turned, tokens.count,
            rowWidth / headDim, headDim, rotation.turned, rotation.pairs)
    }

    func clip(_ tokens: Range<Int>, within limit: Float) {
        let first = row(tokens.lowerBound)
        // What is no number stays none.
        for index in 0..<tokens.count * rowWidth {
            let value = first[index]
            first[index] = value > limit ? limit : value < -limit ? -limit : value
        }
    }

    func scale(_ tokens: Range<Int>, by scales: UnsafePointer<Float>) {
        for token in tokens {
            let row = row(token)
            for index in 0..<rowWidth { row[index] *= scales[token] }
        }
    }
}
