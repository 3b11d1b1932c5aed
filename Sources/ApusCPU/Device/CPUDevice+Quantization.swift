package import ApusCompute
import CApusKernels

extension CPUDevice: WeightQuantizer {
    /// All threads of the device share the rows.
    package func quantize(
        _ weight: WeightSource, rows: Range<Int>, as quantization: Quantization, spread: ErrorSpread? = nil
    ) throws(ComputeError) -> QuantizedRows {
        let format = quantization.format
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        guard !weight.format.isQuantized else {
            throw .unsupported("weight '\(weight.name)' is \(weight.format) already")
        }
        guard rows.lowerBound >= 0, rows.upperBound <= outputs else {
            throw .mismatch("weight '\(weight.name)' has \(outputs) rows, not \(rows)")
        }
        guard spread.map({ $0.factors.count == Self.factors(before: inputs) }) ?? true else {
            throw .mismatch("weight '\(weight.name)' has \(inputs) inputs, whose errors are spread otherwise")
        }
        try checkInputs(weight, format)
        let rowBytes = format.rowByteCount(inputs: inputs)
        let groups = format == .int4 ? WeightFormat.groups(inputs: inputs) : 0
        var result = QuantizedRows(
            values: [UInt8](repeating: 0, count: rows.count * rowBytes),
            grids: [UInt8](repeating: 0, count: rows.count * groups),
            scales: [Float](repeating: 0, count: rows.count))
        guard !rows.isEmpty, inputs > 0 else { return result }
        result.values.withUnsafeMutableBufferPointer { values in
            result.grids.withUnsafeMutableBufferPointer { grids in
                result.scales.withUnsafeMutableBufferPointer { scales in
                    nonisolated(unsafe) var target = apus_quantized()
                    target.rows = values.baseAddress
                    target.row_bytes = rowBytes
                    target.grids = grids.baseAddress
                    target.scales = scales.baseAddress
                    quantize(weight, rows, format.kernelType, spread, groups, target)
                }
            }
        }
        return result
    }

    private func quantize(
        _ weight: WeightSource, _ rows: Range<Int>, _ type: apus_dtype, _ spread: ErrorSpread?, _ groups: Int,
        _ target: apus_quantized
    ) {
        (spread?.factors ?? []).withUnsafeBufferPointer { factors in
            nonisolated(unsafe) let (factors, target) = (spread == nil ? nil : factors.baseAddress, target)
            weight.withKernelMatrix { matrix in
                nonisolated(unsafe) let matrix = matrix
                team.run(chunks: (rows.count + CPUWeight.panel - 1) / CPUWeight.panel) { chunk, _ in
                    let first = chunk * CPUWeight.panel
                    var part = target
                    part.rows = target.rows + first * target.row_bytes
                    part.grids = target.grids.map { $0 + first * groups }
                    part.scales = target.scales + first
                    let count = min(CPUWeight.panel, rows.count - first)
                    apus_quantize_rows(matrix, type, rows.lowerBound + first, count, factors, &part)
                }
            }
        }
    }

    /// All threads of the device share the rows.
    package func floats(_ weight: WeightSource, rows: Range<Int>) throws(ComputeError) -> [Float] {
        guard !weight.format.isQuantized else {
            throw .unsupported("weight '\(weight.name)' is \(weight.format) and cannot become floating point")
        }
        guard rows.lowerBound >= 0, rows.upperBound <= weight.shape[0] else {
            throw .mismatch("weight '\(weight.name)' has \(weight.shape[0]) rows, not \(rows)")
        }
        let inputs = weight.shape[1]
        return [Float](unsafeUninitializedCapacity: rows.count * inputs) { target, count in
            nonisolated(unsafe) let target = target
            weight.withKernelMatrix { matrix in
                nonisolated(unsafe) let matrix = matrix
                team.run(chunks: (rows.count + Self.rowsPerChunk - 1) / Self.rowsPerChunk) { chunk, _ in
                    let first = chunk * Self.rowsPerChunk
                    for row in first..<min(first + Self.rowsPerChunk, rows.count) {
                        guard let place = target.baseAddress else { return }
                        apus_read_output(matrix, rows.lowerBound + row, place + row * inputs)
                    }
                }
            }
            count = rows.count * inputs
        }
    }

    private static let rowsPerChunk = 16

    func checkInputs(_ weight: WeightSource, _ format: WeightFormat) throws(ComputeError) {
        guard weight.shape[1] <= Int(APUS_INTEGER_INPUTS) else {
            throw .unsupported(
                "weight '\(weight.name)' has \(weight.shape[1]) inputs; \(format) takes \(APUS_INTEGER_INPUTS)")
        }
    }
}
