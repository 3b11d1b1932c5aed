package import ApusCompute
import CApusKernels

extension CPUDevice {
    package func scatter(_ updates: Tensor, into table: Tensor) throws(ComputeError) {
        guard updates.shape.rank == 2, updates.shape[1] == 3, table.shape.rank == 2 else {
            throw .mismatch("updates of shape \(updates.shape) for a table of shape \(table.shape)")
        }
        let list = try integers(updates)
        let values = try integers(table)
        for index in 0..<updates.shape[0] {
            let (row, column) = (Int(list[index * 3]), Int(list[index * 3 + 1]))
            guard row >= 0, row < table.shape[0], column >= 0, column < table.shape[1] else {
                throw .mismatch("place \(row), \(column) of a table of shape \(table.shape)")
            }
            values[row * table.shape[1] + column] = list[index * 3 + 2]
        }
    }

    package func copyRows(_ pairs: Tensor, in x: Tensor) throws(ComputeError) {
        guard pairs.shape.rank == 2, pairs.shape[1] == 2, let rows = x.shape.dimensions.first else {
            throw .mismatch("pairs of shape \(pairs.shape) for rows of shape \(x.shape)")
        }
        let list = try integers(pairs)
        let address = try pointer(x)
        let byteCount = x.shape.rowCount * x.dtype.byteCount
        for index in 0..<pairs.shape[0] {
            let (source, target) = (Int(list[index * 2]), Int(list[index * 2 + 1]))
            guard source >= 0, source < rows, target >= 0, target < rows else {
                throw .mismatch("rows \(source), \(target) of a tensor of shape \(x.shape)")
            }
            (address + target * byteCount).copyMemory(from: address + source * byteCount, byteCount: byteCount)
        }
    }

    /// A block's tokens lie together in each head.
    package func copyBlocks(
        _ pairs: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout
    ) throws(ComputeError) {
        let heads = try Shape([layout.blocks, KVCacheLayout.blockSize, layout.rowWidth])
        for tensor in [cache.keys, cache.values] {
            for head in 0..<layout.kvHeads {
                try copyRows(
                    pairs,
                    in: Tensor(
                        memory: tensor.memory,
                        byteOffset: tensor.byteOffset + head * heads.byteCount(of: layout.dtype), shape: heads,
                        dtype: layout.dtype))
            }
        }
    }

    package func embedding(
        _ tokens: Tensor, choices: Tensor?, _ weight: any PreparedWeight, scale: Float, into y: Tensor,
        accumulates: Bool
    ) throws(ComputeError) {
        let weight = try self.weight(weight)
        let (rows, width) = (weight.shape[0], weight.shape[1])
        let count = tokens.shape.count
        try check(y, is: [count, width], "embedded tokens")
        guard !weight.format.isQuantized, let address = weight.source.bytes.baseAddress, rows > 0 else {
            throw .mismatch("'\(weight.source.name)' is no table")
        }
        nonisolated(unsafe) let table = address
        nonisolated(unsafe) let panels = weight.panels
        nonisolated(unsafe) let list = try integers(tokens)
        nonisolated(unsafe) let chosen = try choices.map { choices throws(ComputeError) in try integers(choices) }
        nonisolated(unsafe) let result = try floats(y)
        for token in UnsafeBufferPointer(start: list, count: count) {
            guard token < 0 ? -Int(token) <= choices?.shape.count ?? 0 : Int(token) < rows else {
                throw .mismatch("token \(token) of a table of \(rows)")
            }
        }
        let type = weight.format.kernelType
        let aligned = UInt(bitPattern: address) % UInt(MemoryLayout<Float>.alignment) == 0
        let isConverted = panels == nil && (weight.source.format != weight.format || !aligned)
        func look(up token: Int32, into row: UnsafeMutablePointer<Float>) {
            if let panels, let grouping = weight.grouping {
                apus_unpack_output(panels, grouping, width, Int(token), row)
            } else if let panels {
                apus_unpack_row(panels, type, width, Int(token), row)
            } else if weight.source.codes != nil {
                weight.source.withKernelMatrix { apus_read_output($0, Int(token), row) }
                if weight.format != .float32 { Self.round(row, width, weight.format) }
            } else if isConverted {
                Self.embed(weight, Int(token), into: row)
            } else {
                withUnsafePointer(to: token) { kernels.embedding(table, type, width, $0, 1, row) }
            }
        }
        forEachRange(of: count, costPerItem: width) { range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: accumulates ? width : 1) { room in
                for index in range {
                    var token = list[index]
                    if token < 0, let chosen { token = chosen[-Int(token) - 1] }
                    if token < 0 || Int(token) >= rows { token = 0 }
                    let row = result + index * width
                    guard accumulates, let found = room.baseAddress else {
                        look(up: token, into: row)
                        if scale != 1 { for column in 0..<width { row[column] *= scale } }
                        continue
                    }
                    look(up: token, into: found)
                    for column in 0..<width { row[column] += found[column] * scale }
                }
            }
        }
    }

    /// A row of a table that is stored in another type, or lies at an odd place: rounded to the table's own, then widened.
    private static func embed(_ weight: CPUWeight, _ row: Int, into y: UnsafeMutablePointer<Float>) {
        let width = weight.inputs
        let stored = weight.source.format.rowByteCount(inputs: width)
        let source = UnsafeRawBufferPointer(rebasing: weight.source.bytes[row * stored..<(row + 1) * stored])
        // Twice a row of the widest type.
        withUnsafeTemporaryAllocation(byteCount: 2 * width * MemoryLayout<Float>.size, alignment: 64) { room in
            guard let aligned = room.baseAddress else { return }
            let rounded = aligned + width * MemoryLayout<Float>.size
            UnsafeMutableRawBufferPointer(room).copyMemory(from: source)
            apus_convert(aligned, weight.source.format.kernelType, rounded, weight.format.kernelType, width)
            apus_convert(rounded, weight.format.kernelType, y, APUS_F32, width)
        }
    }

    private static func round(_ row: UnsafeMutablePointer<Float>, _ width: Int, _ format: WeightFormat) {
        withUnsafeTemporaryAllocation(byteCount: width * 2, alignment: 64) { room in
            apus_convert(row, APUS_F32, room.baseAddress, format.kernelType, width)
            apus_convert(room.baseAddress, format.kernelType, row, APUS_F32, width)
        }
    }

    package func normalize(
        _ x: Tensor, _ norm: Norm, scale: Float, into y: Tensor, accumulates: Bool
    ) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("a norm of a tensor of shape \(x.shape)") }
        try check(y, is: x.shape.dimensions, "normed rows")
        let width = x.shape[1]
        nonisolated(unsafe) let norm = try kernelNorm(norm, width: width)
        nonisolated(unsafe) let (source, target) = (try floats(x), try floats(y))
        forEachRange(of: x.shape[0], costPerItem: 2 * width) { range in
            let first = range.lowerBound * width
            withUnsafePointer(to: norm) {
                kernels.norm_rows($0, source + first, target + first, range.count, width, 1, scale, accumulates)
            }
        }
    }

    package func multiply(_ x: Tensor, by factors: Tensor?, from column: Int, scale: Float) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("factors for a tensor of shape \(x.shape)") }
        let (rows, width) = (x.shape[0], x.shape[1])
        if let factors {
            guard factors.shape.rank == 2, factors.shape[0] == rows, column >= 0, column <= factors.shape[1] - width
            else { throw .mismatch("factors of shape \(factors.shape) from \(column) on for \(x.shape)") }
        }
        let stride = factors?.shape[1] ?? 0
        nonisolated(unsafe) let target = try floats(x)
        nonisolated(unsafe) let source = try factors.map { factors throws(ComputeError) in try floats(factors) + column
        }
        forEachRange(of: rows, costPerItem: width) { range in
            for row in range {
                let x = target + row * width
                guard let source else {
                    for index in 0..<width { x[index] *= scale }
                    continue
                }
                let factors = source + row * stride
                for index in 0..<width { x[index] *= factors[index] * scale }
            }
        }
    }

    func kernelNorm(_ norm: Norm, width: Int) throws(ComputeError) -> apus_norm {
        try check(norm.weight, is: [width], "the weight of a norm")
        if let bias = norm.bias { try check(bias, is: [width], "the bias of a norm") }
        return apus_norm(
            weight: try floats(norm.weight),
            bias: try norm.bias.map { bias throws(ComputeError) in UnsafePointer(try floats(bias)) },
            epsilon: norm.epsilon, is_centered: norm.isCentered)
    }

    package func gather(_ x: Tensor, rows: Tensor, into y: Tensor) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("rows of a tensor of shape \(x.shape)") }
        try check(y, is: [rows.shape.count, x.shape[1]], "gathered rows")
        let (count, width) = (rows.shape.count, x.shape[1])
        nonisolated(unsafe) let table = try floats(x)
        nonisolated(unsafe) let list = try integers(rows)
        nonisolated(unsafe) let result = try floats(y)
        for index in UnsafeBufferPointer(start: list, count: count) where index < 0 || Int(index) >= x.shape[0] {
            throw .mismatch("row \(index) of a table of \(x.shape[0])")
        }
        forEachRange(of: count, costPerItem: width) { range in
            kernels.embedding(
                table, APUS_F32, width, list + range.lowerBound, range.count, result + range.lowerBound * width)
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
