/// Rounds matrices to integers as they are rounded when a device prepares them: the same bits.
package protocol WeightQuantizer: Sendable {
    /// Blocks until it is done. A row with an element that is no finite number has the scale NaN.
    /// Throws `ComputeError` (`.unsupported`) for a matrix whose products would not fit the sums of integers.
    func quantize(
        _ weight: WeightSource, rows: Range<Int>, as quantization: Quantization
    ) throws(ComputeError) -> QuantizedRows

    /// Rows of a matrix of floating point, or of codes, as float32: [rows, inputs]. Blocks until it is done.
    /// Throws `ComputeError` (`.unsupported`) for integers of this package, `.outOfMemory`.
    func floats(_ weight: WeightSource, rows: Range<Int>) throws(ComputeError) -> [Float]
}

/// Rows of a matrix as a quantized checkpoint holds them.
package struct QuantizedRows: Sendable {
    /// [rows, bytes of a row]
    package var values: [UInt8]
    /// [rows, ⌈inputs / 32⌉] for `int4`, else empty.
    package var multipliers: [UInt8]
    /// [rows]
    package var scales: [Float]

    package init(values: [UInt8], multipliers: [UInt8], scales: [Float]) {
        self.values = values
        self.multipliers = multipliers
        self.scales = scales
    }
}
