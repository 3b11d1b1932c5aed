package import ApusCompute
import CApusKernels

extension CPUDevice: WeightQuantizer {
    /// All threads of the device share the rows.
    package func quantize(
        _ weight: WeightSource, rows: Range<Int>, as quantization: Quantization
    ) throws(ComputeError) -> QuantizedRows {
        let format = quantization.format
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        guard !weight.format.isQuantized else {
            throw .unsupported("weight '\(weight.name)' is \(weight.format) already")
        }
        guard rows.lowerBound >= 0, rows.upperBound <= outputs else {
            throw .mismatch("weight '\(weight.name)' has \(outputs) rows, not \(rows)")
        }
        try checkInputs(weight, format)
        let rowBytes = format.rowByteCount(inputs: inputs)
        let groups = format == .int4 ? WeightFormat.groups(inputs: inputs) : 0
        var result = QuantizedRows(
            values: [UInt8](repeating: 0, count: rows.count * rowBytes),
            multipliers: [UInt8](repeating: 0, count: rows.count * groups),
            scales: [Float](repeating: 0, count: rows.count))
        guard !rows.isEmpty else { return result }
        result.values.withUnsafeMutableBytes { values in
            result.multipliers.withUnsafeMutableBufferPointer { multipliers in
                result.scales.withUnsafeMutableBufferPointer { scales in
                    nonisolated(unsafe) let (values, multipliers, scales) = (values, multipliers, scales)
                    weight.withKernelMatrix { matrix in
                        nonisolated(unsafe) let matrix = matrix
                        team.run(chunks: (rows.count + Self.rowsPerChunk - 1) / Self.rowsPerChunk) { chunk, _ in
                            let first = chunk * Self.rowsPerChunk
                            for row in first..<min(first + Self.rowsPerChunk, rows.count) {
                                scales[row] = apus_quantize_row(
                                    matrix, format.kernelType, rows.lowerBound + row,
                                    values.baseAddress.map { $0 + row * rowBytes },
                                    multipliers.baseAddress.map { $0 + row * groups })
                            }
                        }
                    }
                }
            }
        }
        return result
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
