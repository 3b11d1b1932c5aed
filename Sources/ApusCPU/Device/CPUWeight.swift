package import ApusCompute
import CApusKernels

/// A matrix for the kernels: in panels, or row by row as a checkpoint holds it, to be packed whenever it is multiplied.
final class CPUWeight: PreparedWeight, @unchecked Sendable {
    let shape: Shape
    let format: WeightFormat
    let source: WeightSource
    let placement: PanelPlacement?
    /// How its products take their activations.
    let form: ActivationForm
    /// Of a grouped matrix, for as long as the weight lives.
    let grouping: UnsafePointer<apus_grouping>?

    var outputs: Int { shape[0] }
    var inputs: Int { shape[1] }
    var panelCount: Int { (outputs + Self.panel - 1) / Self.panel }
    var panelByteCount: Int { format.panelByteCount(inputs: inputs) }
    var ownedByteCount: Int { placement == nil ? 0 : panelCount * panelByteCount }

    /// Outputs of a panel.
    static let panel = Int(APUS_PANEL)

    init(_ source: WeightSource, as format: WeightFormat, placement: PanelPlacement?) {
        self.source = source
        self.format = format
        self.placement = placement
        shape = source.shape
        grouping = format.grouping.map { grouping in
            let place = UnsafeMutablePointer<apus_grouping>.allocate(capacity: 1)
            place.initialize(to: grouping.kernelGrouping)
            return UnsafePointer(place)
        }
        form = ActivationForm(
            type: format.activationType, order: format.grouping == nil ? nil : source.codes?.order?.places,
            rotates: format.isQuantized && source.quantization?.isRotated ?? true,
            span: grouping.map(apus_grouped_span) ?? 0)
    }

    deinit { grouping?.deallocate() }

    // MARK: Packing

    /// Panels that are packed together, about a megabyte.
    private var panelsPerPart: Int { max((1 << 20) / panelByteCount, 1) }

    var parts: Int { (panelCount + panelsPerPart - 1) / panelsPerPart }

    /// Packs one part of the panels into its place.
    func pack(part: Int) {
        guard let placement else { return }
        let first = part * panelsPerPart
        pack(panels: first..<min(first + panelsPerPart, panelCount), into: placement.pointer + first * panelByteCount)
    }

    func pack(panels: Range<Int>, into target: UnsafeMutableRawPointer) {
        source.withKernelMatrix { matrix in
            for panel in panels {
                let place = target + (panel - panels.lowerBound) * panelByteCount
                if format.grouping == nil {
                    apus_pack_panel(matrix, format.kernelType, panel, place)
                } else {
                    apus_pack_grouped(matrix, panel, place)
                }
            }
        }
    }

    /// The panels, once they are all there; `nil` if they are packed as they are needed.
    var panels: UnsafeRawPointer? {
        guard let placement else { return nil }
        placement.awaitAll(pack(part:))
        return UnsafeRawPointer(placement.pointer)
    }
}

extension WeightSource {
    /// Calls `body` with the matrix as kernels read it.
    func withKernelMatrix<Result>(_ body: (UnsafePointer<apus_matrix>) -> Result) -> Result {
        (quantization?.scales ?? []).withUnsafeBufferPointer { scales in
            var matrix = apus_matrix()
            matrix.rows = bytes.baseAddress
            matrix.scales = scales.baseAddress
            matrix.grids = quantization?.grids?.baseAddress?.assumingMemoryBound(to: UInt8.self)
            matrix.has_zeros = quantization?.hasZeros ?? true
            matrix.outputs = shape[0]
            matrix.inputs = shape[1]
            matrix.type = format.kernelType
            if let view {
                matrix.first = view.first
                matrix.run = view.run
                matrix.period = view.period
                matrix.columns = view.isTransposed ? view.storedOutputs : 0
            }
            guard let codes else { return withUnsafePointer(to: matrix, body) }
            var grouping = format.grouping?.kernelGrouping ?? apus_grouping()
            if case .arrays(let arrays) = codes, arrays.product.grouping == nil {
                grouping.zero = UInt8(truncatingIfNeeded: arrays.zero)
            }
            return withUnsafePointer(to: &grouping) { grouping in
                matrix.grouping = grouping
                switch codes {
                case .blocks(let format):
                    matrix.stored = format.kernelBlocks
                    return withUnsafePointer(to: matrix, body)
                case .arrays(let arrays):
                    matrix.stored = APUS_STORED_ARRAYS
                    return arrays.withKernelArrays { arrays in
                        matrix.arrays = arrays
                        return withUnsafePointer(to: matrix, body)
                    }
                }
            }
        }
    }
}

/// How activations are brought to a product.
struct ActivationForm: Equatable, @unchecked Sendable {
    let type: apus_dtype
    /// Which input stands at a place, kept by the weight; `nil`: its own.
    let order: UnsafePointer<Int32>?
    /// Whether blocks of inputs are rotated.
    let rotates: Bool
    /// Inputs that share a scale, for matrices of codes.
    let span: Int
}

extension CodeArrays {
    func withKernelArrays<Result>(_ body: (UnsafePointer<apus_arrays>) -> Result) -> Result {
        (values ?? []).withUnsafeBufferPointer { table in
            var arrays = apus_arrays()
            arrays.codes = codes.kernelCodes
            arrays.scales = scales.kernelValues
            if let offsets { arrays.offsets = offsets.kernelValues }
            if let zeros { arrays.zeros = zeros.kernelCodes }
            arrays.zero_shift = UInt8(truncatingIfNeeded: zeroShift)
            arrays.zero_mask = UInt8(truncatingIfNeeded: zeroMask)
            arrays.group = group
            arrays.groups = groups
            arrays.group_of = order?.groups
            arrays.order = product.grouping == nil ? nil : order?.places
            arrays.values = values == nil ? nil : table.baseAddress
            arrays.is_flat = isFlat
            arrays.high_first = isHighFirst
            return withUnsafePointer(to: arrays, body)
        }
    }
}

extension CodeArrays.Codes {
    fileprivate var kernelCodes: apus_codes {
        apus_codes(
            words: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), line: line, word: word,
            bits: UInt8(truncatingIfNeeded: bits), each: UInt8(truncatingIfNeeded: each),
            flip: UInt8(truncatingIfNeeded: flip), along_inputs: isAlongInputs, takes_turns: takesTurns)
    }
}

extension CodeArrays.Values {
    fileprivate var kernelValues: apus_values {
        apus_values(
            data: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), line: line, step: step, rows: rows,
            type: type.rawValue, factor: factor ?? 0, divides: divides)
    }
}

extension WeightSource {
    /// An output of a matrix of codes.
    package func floats(ofRow row: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: shape[1]) { target, count in
            withKernelMatrix { apus_read_output($0, row, target.baseAddress) }
            count = shape[1]
        }
    }
}

extension WeightFormat {
    var kernelType: apus_dtype {
        switch self {
        case .float32: APUS_F32
        case .float16: APUS_F16
        case .bfloat16: APUS_BF16
        case .int8: APUS_I8
        case .int4: APUS_I4
        case .grouped: APUS_GROUPED
        }
    }

    /// How activations are packed for its products.
    var activationType: apus_dtype { grouping?.isWidened ?? false ? APUS_BF16 : kernelType }

    func panelByteCount(inputs: Int) -> Int {
        grouping.map { $0.panelByteCount(inputs: inputs) } ?? apus_panel_bytes(kernelType, inputs)
    }
}

extension WeightGrouping {
    var kernelGrouping: apus_grouping {
        var grouping = apus_grouping()
        grouping.bits = UInt8(truncatingIfNeeded: bits)
        grouping.zero = UInt8(truncatingIfNeeded: zero)
        grouping.group = UInt8(truncatingIfNeeded: group)
        grouping.scale = scale.rawValue
        grouping.offset = offset.rawValue
        switch codes {
        case .integers: break
        case .float8: grouping.codes = UInt8(APUS_CODES_E4M3.rawValue)
        case .floats(let floats):
            grouping.codes = UInt8(APUS_CODES_FLOATS.rawValue)
            withUnsafeMutableBytes(of: &grouping.floats) { target in
                floats.prefix(16).withUnsafeBytes { target.copyBytes(from: $0) }
            }
        }
        guard let table, table.count == 16 else { return grouping }
        grouping.has_table = true
        withUnsafeMutableBytes(of: &grouping.table) { $0.copyBytes(from: table) }
        return grouping
    }
}

extension BlockFormat {
    var kernelBlocks: apus_stored {
        switch self {
        case .q40: APUS_STORED_Q4_0
        case .q41: APUS_STORED_Q4_1
        case .q50: APUS_STORED_Q5_0
        case .q51: APUS_STORED_Q5_1
        case .q80: APUS_STORED_Q8_0
        case .q2k: APUS_STORED_Q2_K
        case .q3k: APUS_STORED_Q3_K
        case .q4k: APUS_STORED_Q4_K
        case .q5k: APUS_STORED_Q5_K
        case .q6k: APUS_STORED_Q6_K
        case .iq4nl: APUS_STORED_IQ4_NL
        case .iq4xs: APUS_STORED_IQ4_XS
        case .mxfp4: APUS_STORED_MXFP4
        }
    }
}
