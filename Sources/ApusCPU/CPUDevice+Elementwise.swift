package import ApusCompute
import CApusKernels

extension CPUDevice {
    package func embedding(_ tokens: Tensor, _ weight: any PreparedWeight, into y: Tensor) throws(ComputeError) {
        let weight = try self.weight(weight)
        let width = weight.shape[1]
        let count = tokens.shape.count
        try check(y, is: [count, width], "embedded tokens")
        guard weight.placement == nil, !weight.format.isQuantized, let table = weight.source.bytes.baseAddress else {
            throw .mismatch("'\(weight.source.name)' is no table")
        }
        try gather(table: table, weight.format.kernelType, rows: weight.shape[0], width: width, tokens, into: y)
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
}
