/// Rounds matrices to integers as they are rounded when a device prepares them: the same bits.
package protocol WeightQuantizer: Sendable {
    /// Blocks until it is done. A row with an element that is no finite number has the scale NaN.
    /// Throws `ComputeError` (`.unsupported`) for a matrix whose products would not fit the sums of integers.
    ///
    /// - Parameter spread: of the rows' inputs, for `int4`: what an input loses is made up for by those after it. Without it the
    ///   bits are those of preparing the matrix.
    func quantize(
        _ weight: WeightSource, rows: Range<Int>, as quantization: Quantization, spread: ErrorSpread?
    ) throws(ComputeError) -> QuantizedRows

    /// Blocks until it is done.
    func spread(_ sums: InputMoments.Sums) -> ErrorSpread

    /// Rows of a matrix of floating point, or of codes, as float32: [rows, inputs]. Blocks until it is done.
    /// Throws `ComputeError` (`.unsupported`) for integers of this package, `.outOfMemory`.
    func floats(_ weight: WeightSource, rows: Range<Int>) throws(ComputeError) -> [Float]
}

/// Rows of a matrix as a quantized checkpoint holds them.
package struct QuantizedRows: Sendable {
    /// [rows, bytes of a row]
    package var values: [UInt8]
    /// [rows, ⌈inputs / 32⌉] for `int4`, else empty.
    package var grids: [UInt8]
    /// [rows]
    package var scales: [Float]

    package init(values: [UInt8], grids: [UInt8], scales: [Float]) {
        self.values = values
        self.grids = grids
        self.scales = scales
    }
}

/// What of the error of each input of a matrix is taken from those after it: [width, width] for each block of inputs.
package struct ErrorSpread: Sendable {
    package let factors: [Float]

    package init(factors: [Float]) { self.factors = factors }
}
