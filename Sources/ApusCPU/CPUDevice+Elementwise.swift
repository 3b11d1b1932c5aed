package import ApusCompute
import CApusKernels

extension CPUDevice {
    package func embedding(_ tokens: Tensor, _ weight: any PreparedWeight, into y: Tensor) throws(ComputeError) {
        let weight = try self.weight(weight)
        let width = weight.shape[1]
        let count = tokens.shape.count
        try check(y, is: [count, width], "embedded tokens")
        let type = try kernelType(weight.dtype, of: "embedding")
        try gather(table: weight.pointer, type, rows: weight.shape[0], width: width, tokens, into: y)
    }

    package func gather(_ x: Tensor, rows: Tensor, into y: Tensor) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("rows of a tensor of shape \(x.shape)") }
        try check(y, is: [rows.shape.count, x.shape[1]], "gathered rows")
        try gather(table: floats(x), APUS_F32, rows: x.shape[0], width: x.shape[1], rows, into: y)
    }

    private func gather(
        table: UnsafeRawPointer, _ type: apus_dtype, rows: Int, width: Int, _ indices: Tensor, into y: Tensor
    ) throws(ComputeError) {
        nonisolated(unsafe) let table = table
        nonisolated(unsafe) let list = try integers(indices)
        nonisolated(unsafe) let result = try floats(y)
        let count = indices.shape.count
        for index in UnsafeBufferPointer(start: list, count: count) where index < 0 || Int(index) >= rows {
            throw .mismatch("row \(index) of a table of \(rows)")
        }
        forEachRange(of: count, costPerItem: width) { range in
            kernels.embedding(
                table, type, width, list + range.lowerBound, range.count, result + range.lowerBound * width)
        }
    }

    package func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into y: Tensor) throws(ComputeError) {
        let rows = x.shape.dimensions.first ?? 0
        let width = weight.shape.count
        try check(x, is: [rows, width], "the input of a norm")
        try check(y, is: [rows, width], "the result of a norm")
        nonisolated(unsafe) let input = try floats(x)
        nonisolated(unsafe) let scale = try floats(weight)
        nonisolated(unsafe) let result = try floats(y)
        forEachRange(of: rows, costPerItem: width) { range in
            let start = range.lowerBound * width
            kernels.rms_norm(input + start, scale, epsilon, range.count, width, result + start)
        }
    }

    package func gatedActivation(_ activation: Activation, gate: Tensor, up: Tensor) throws(ComputeError) {
        try check(up, is: gate.shape.dimensions, "the gated tensor")
        let kind: apus_activation =
            switch activation {
            case .silu: APUS_SILU
            case .gelu: APUS_GELU
            case .geluTanh: APUS_GELU_TANH
            case .relu: APUS_RELU
            }
        nonisolated(unsafe) let gates = try floats(gate)
        nonisolated(unsafe) let values = try floats(up)
        forEachSlice(of: gate.shape.count, costPerElement: 4) { range in
            kernels.gated_activation(kind, gates + range.lowerBound, values + range.lowerBound, range.count)
        }
    }

    package func add(_ x: Tensor, to y: Tensor) throws(ComputeError) {
        try check(x, is: y.shape.dimensions, "the added tensor")
        nonisolated(unsafe) let source = try floats(x)
        nonisolated(unsafe) let target = try floats(y)
        forEachSlice(of: x.shape.count, costPerElement: 1) { range in
            kernels.add(source + range.lowerBound, target + range.lowerBound, range.count)
        }
    }

    package func argmax(_ x: Tensor, into y: Tensor) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("the largest of each row of a tensor of shape \(x.shape)") }
        let rows = x.shape[0]
        let width = x.shape[1]
        try check(y, is: [rows], "the indices of the largest")
        nonisolated(unsafe) let values = try floats(x)
        nonisolated(unsafe) let result = try integers(y)
        forEachRange(of: rows, costPerItem: width) { range in
            for row in range { result[row] = kernels.argmax(values + row * width, width) }
        }
    }

    // MARK: Sharing out

    /// Elements below which waking the team costs more than it saves.
    private static let smallestShare = 16_384

    /// Splits items between the threads, unless they are too cheap to share.
    func forEachRange(of count: Int, costPerItem: Int, _ body: (Range<Int>) -> Void) {
        let (cost, overflow) = count.multipliedReportingOverflow(by: max(costPerItem, 1))
        let shares = overflow ? team.count * 2 : min(cost / Self.smallestShare, team.count * 2)
        guard shares > 1, count > 1 else { return body(0..<count) }
        let chunks = min(shares, count)
        team.run(chunks: chunks) { chunk, _ in
            body(count * chunk / chunks..<count * (chunk + 1) / chunks)
        }
    }

    /// Splits elements at multiples of 16, so that vectors cover the same elements however many threads there are.
    private func forEachSlice(of count: Int, costPerElement: Int, _ body: (Range<Int>) -> Void) {
        forEachRange(of: (count + 15) / 16, costPerItem: 16 * costPerElement) { groups in
            body(groups.lowerBound * 16..<min(groups.upperBound * 16, count))
        }
    }
}
