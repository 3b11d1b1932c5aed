package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    /// Packs the matrix into panels, all threads of the device at once, together with the other processes of the job if
    /// they share their weights. Where memory is short, the weight keeps to the source's rows.
    package func prepare(
        _ weight: WeightSource, as format: WeightFormat, isStreamed: Bool = false
    ) throws(ComputeError) -> any PreparedWeight {
        guard weight.bytes.baseAddress != nil else { throw .mismatch("weight '\(weight.name)' has no elements") }
        guard !weight.format.isQuantized || weight.format == format else {
            throw .unsupported("weight '\(weight.name)' is \(weight.format) and cannot become \(format)")
        }
        guard format.grouping == nil || weight.format == format else {
            throw .unsupported("weight '\(weight.name)' is \(weight.format) and cannot become \(format)")
        }
        if format.isQuantized || format.grouping != nil { try checkInputs(weight, format) }
        let unplaced = CPUWeight(weight, as: format, placement: nil)
        if isStreamed { return unplaced }
        let byteCount = unplaced.panelCount * unplaced.panelByteCount
        guard
            let placement = try panelMemory.place(
                byteCount: byteCount, parts: unplaced.parts, key: weight.key(as: format))
        else { return unplaced }
        let prepared = CPUWeight(weight, as: format, placement: placement)
        team.run(chunks: prepared.parts) { part, _ in placement.pack(part: part, prepared.pack(part:)) }
        weight.release?()
        return prepared
    }

    package func expect(_ weights: [any PreparedWeight]) throws(ComputeError) {
        var sources: [WeightSource] = []
        for weight in weights { sources.append(try self.weight(weight).source) }
        let reader = readAhead.withLock { reader in
            if let reader { return reader }
            let made = ReadAhead()
            reader = made
            return made
        }
        reader.ask(for: sources)
    }

    /// A table that already has the type and stands aligned stays where it is, in the mapped checkpoint, whose pages all
    /// processes share; or if the device holds its tables, the panels of a tied head serve as one.
    package func prepareTable(
        _ weight: WeightSource, as dtype: DType, tiedTo head: (any PreparedWeight)? = nil, isStreamed: Bool = false
    ) throws(ComputeError) -> any PreparedWeight {
        guard let format = WeightFormat(dtype), !weight.format.isQuantized, weight.view == nil,
            let address = weight.bytes.baseAddress
        else {
            throw .unsupported("the table '\(weight.name)' of \(weight.format) as \(dtype)")
        }
        let isHeld = holdsTables && !isStreamed
        // What is held as codes is looked up in panels.
        let held = weight.codes == nil || format != .float32 || weight.codes?.order != nil ? format : weight.format
        if isHeld, let head = head as? CPUWeight, head.format == held, head.placement != nil { return head }
        if isHeld, held.grouping != nil { return try prepare(weight, as: held) }
        let isReady =
            weight.codes == nil && weight.format == format && UInt(bitPattern: address) % UInt(dtype.byteCount) == 0
        // Rows of a table that takes no memory are converted when they are looked up.
        if isStreamed || !isHeld && (isReady || weight.codes != nil) {
            return CPUWeight(weight, as: format, placement: nil)
        }
        let memory = try CPUMemory(byteCount: weight.shape.count * dtype.byteCount, of: self.memory)
        try convert(weight, to: format, into: memory.pointer)
        weight.release?()
        let copy = try WeightSource(
            name: weight.name, bytes: UnsafeRawBufferPointer(start: memory.pointer, count: memory.byteCount),
            owner: memory, shape: weight.shape, format: format)
        return CPUWeight(copy, as: format, placement: nil)
    }

    private func convert(_ weight: WeightSource, to format: WeightFormat, into target: UnsafeMutableRawPointer)
        throws(ComputeError)
    {
        let columns = weight.shape[1]
        let sourceRow = weight.format.rowByteCount(inputs: columns)
        let targetRow = format.rowByteCount(inputs: columns)
        let from = weight.format.kernelType
        let to = format.kernelType
        let aligned = UInt(bitPattern: weight.bytes.baseAddress) % 4 == 0 && sourceRow % 4 == 0
        nonisolated(unsafe) let bytes = weight.bytes
        nonisolated(unsafe) let target = target
        team.run(chunks: weight.shape[0]) { row, _ in
            if weight.codes != nil {
                let floats = weight.floats(ofRow: row)
                apus_convert(floats, APUS_F32, target + row * targetRow, to, columns)
                return
            }
            let source = UnsafeRawBufferPointer(rebasing: bytes[row * sourceRow..<(row + 1) * sourceRow])
            if aligned {
                apus_convert(source.baseAddress, from, target + row * targetRow, to, columns)
            } else {
                [UInt8](source).withUnsafeBytes {
                    apus_convert($0.baseAddress, from, target + row * targetRow, to, columns)
                }
            }
        }
    }

    package func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer {
        _ = try cacheType(layout)
        let dimensions = [layout.kvHeads, layout.blocks, KVCacheLayout.blockSize, layout.rowWidth]
        // Blocks that no sequence has taken yet cost nothing.
        func tensor() throws(ComputeError) -> Tensor {
            let shape = try Shape(dimensions)
            let memory = try CPUMemory(byteCount: shape.byteCount(of: layout.dtype), isSparse: true, of: self.memory)
            return try Tensor(memory: memory, shape: shape, dtype: layout.dtype)
        }
        return KVCacheLayer(keys: try tensor(), values: try tensor())
    }
}

extension WeightSource {
    /// Tells what this matrix becomes from what any other does: FNV-1a of 64 bits, never 0.
    fileprivate func key(as format: WeightFormat) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(identity) \(name) \(shape) \(self.format) \(format)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return max(hash, 1)
    }
}
