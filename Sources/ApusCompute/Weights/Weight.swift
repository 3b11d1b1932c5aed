/// A matrix as it lies in a checkpoint, alone or as part of another: row-major bytes, at any alignment, that stay valid while
/// `owner` lives.
package struct WeightSource: @unchecked Sendable {
    package let name: String
    /// What tells this matrix from every other: its file, the state of the file, the place in it, the part of it.
    package let identity: String
    /// What all parts of a stored matrix have in common, and from which of its rows to which this part is.
    package let origin: String
    package let originRows: Range<Int>
    package let bytes: UnsafeRawBufferPointer
    package let owner: any Sendable
    /// Outputs, inputs.
    package let shape: Shape
    package let format: WeightFormat
    /// What stands beside integers, for all rows that are stored.
    package let quantization: StoredQuantization?
    /// How elements lie that are codes; `format` is then what products make of them.
    package let codes: StoredCodes?
    /// Where the outputs are, unless each row is one.
    package let view: MatrixView?
    /// Tells the owner that the bytes will hardly be read again, so that they need not stay in memory.
    package let release: (@Sendable () -> Void)?

    /// - Parameters:
    ///   - view: which part of what the bytes hold the matrix is; all of it if `nil`.
    ///   - origin: what it is a part of, if the bytes were made for it alone.
    ///
    /// Throws `ComputeError` (`.mismatch`) unless the bytes hold exactly the shape, and the integers have their scales.
    package init(
        name: String, identity: String = "", bytes: UnsafeRawBufferPointer, owner: any Sendable, shape: Shape,
        format: WeightFormat, quantization: StoredQuantization? = nil, codes: StoredCodes? = nil,
        view: MatrixView? = nil, origin: (name: String, rows: Range<Int>)? = nil,
        release: (@Sendable () -> Void)? = nil
    ) throws(ComputeError) {
        guard shape.rank == 2, shape[1] <= Int.max / 8 else {
            throw .mismatch("weight '\(name)' of shape \(shape) is no matrix")
        }
        let stored = view?.storedOutputs ?? shape[0]
        guard codes?.product ?? format == format, (format.grouping == nil) || codes != nil else {
            throw .mismatch("weight '\(name)' of \(format) is no matrix of its codes")
        }
        var rowBytes: Int?
        switch codes {
        case .blocks(let blocks):
            rowBytes = blocks.rowByteCount(inputs: shape[1])
            if rowBytes == nil {
                throw .mismatch("weight '\(name)' of shape \(shape): its rows are no whole blocks of \(format)")
            }
        case .arrays(let arrays):
            guard arrays.outputs == stored, arrays.inputs == shape[1] else {
                throw .mismatch("weight '\(name)' of shape \(shape): its codes are of \(arrays.outputs) outputs")
            }
        case nil: rowBytes = format.rowByteCount(inputs: shape[1])
        }
        if let rowBytes {
            guard case (let size, let overflow) = stored.multipliedReportingOverflow(by: rowBytes), !overflow,
                size == bytes.count
            else { throw .mismatch("weight '\(name)': \(bytes.count) bytes are no \(format) matrix of shape \(shape)") }
        }
        guard format.isQuantized == (quantization != nil), quantization?.fits(stored, shape[1], format) ?? true else {
            throw .mismatch("weight '\(name)': the scales do not fit its shape \(shape)")
        }
        guard view?.fits(outputs: shape[0]) ?? true,
            !((format.isQuantized || codes != nil) && view?.isTransposed ?? false)
        else {
            throw .mismatch("weight '\(name)' of shape \(shape) is not part of a matrix of \(stored) outputs")
        }
        self.name = name
        self.owner = owner
        self.origin = origin?.name ?? identity
        originRows = origin?.rows ?? view?.extent(outputs: shape[0]) ?? 0..<stored
        self.shape = shape
        self.format = format
        self.codes = codes
        self.release = release
        if let rowBytes, let view, let rows = view.rows(outputs: shape[0]) {
            // Rows that follow each other are a matrix of their own.
            self.identity = identity + (rows == 0..<stored ? "" : " \(rows)")
            self.bytes = UnsafeRawBufferPointer(
                rebasing: bytes[rows.lowerBound * rowBytes..<rows.upperBound * rowBytes])
            self.quantization = quantization?.rows(rows, inputs: shape[1])
            self.view = nil
        } else {
            let part = view?.rows(outputs: shape[0]) == 0..<stored ? nil : view
            self.identity = identity + (part.map { " \($0)" } ?? "")
            self.bytes = bytes
            self.quantization = quantization
            self.view = part
        }
    }
}

/// What stands beside a quantized matrix.
package struct StoredQuantization: @unchecked Sendable {
    /// [outputs]
    package let scales: [Float]
    /// [outputs, ⌈inputs / 32⌉] for `int4`: a multiplier from 1 to 15 in the low half, in the high half the code that stands for
    /// nothing. Valid while the source's owner lives.
    package let grids: UnsafeRawBufferPointer?
    /// Whether blocks of 64 inputs were rotated before they were rounded, as all are that are rounded here.
    package let isRotated: Bool
    /// Whether the high halves of grids say something; 8 stands for nothing otherwise.
    package let hasZeros: Bool

    package init(
        scales: [Float], grids: UnsafeRawBufferPointer? = nil, isRotated: Bool = true, hasZeros: Bool = true
    ) {
        self.scales = scales
        self.grids = grids
        self.isRotated = isRotated
        self.hasZeros = hasZeros
    }

    fileprivate func fits(_ outputs: Int, _ inputs: Int, _ format: WeightFormat) -> Bool {
        let gridsDue = format == .int4 ? outputs * WeightFormat.groups(inputs: inputs) : 0
        return scales.count == outputs && (grids?.count ?? 0) == gridsDue
    }

    fileprivate func rows(_ rows: Range<Int>, inputs: Int) -> StoredQuantization {
        let groups = WeightFormat.groups(inputs: inputs)
        return StoredQuantization(
            scales: Array(scales[rows]),
            grids: grids.map {
                UnsafeRawBufferPointer(rebasing: $0[rows.lowerBound * groups..<rows.upperBound * groups])
            }, isRotated: isRotated, hasZeros: hasZeros)
    }
}

/// A matrix in the layout that its device multiplies fastest. Models pass it back to the device and never look inside.
package protocol PreparedWeight: AnyObject, Sendable {
    /// Outputs, inputs.
    var shape: Shape { get }
    var format: WeightFormat { get }
    /// Bytes that this weight holds beside the mapped checkpoint.
    var ownedByteCount: Int { get }
}
