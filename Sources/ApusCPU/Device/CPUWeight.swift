package import ApusCompute
import CApusKernels

/// A matrix for the kernels: in panels, or row by row as a checkpoint holds it, to be packed whenever it is multiplied.
final class CPUWeight: PreparedWeight, @unchecked Sendable {
    let shape: Shape
    let format: WeightFormat
    let source: WeightSource
    let placement: PanelPlacement?
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
            matrix.multipliers = quantization?.multipliers?.baseAddress?.assumingMemoryBound(to: UInt8.self)
            matrix.outputs = shape[0]
            matrix.inputs = shape[1]
            matrix.type = format.kernelType
            if let view {
                matrix.first = view.first
                matrix.run = view.run
                matrix.period = view.period
                matrix.columns = view.isTransposed ? view.storedOutputs : 0
            }
            guard let codes, var grouping = format.grouping?.kernelGrouping else {
                return withUnsafePointer(to: matrix, body)
            }
            return withUnsafePointer(to: &grouping) { grouping in
                matrix.grouping = grouping
                switch codes {
                case .blocks(let format): matrix.stored = format.kernelBlocks
                }
                return withUnsafePointer(to: matrix, body)
            }
        }
    }
}

extension WeightSource {
    /// An output of a grouped matrix.
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
