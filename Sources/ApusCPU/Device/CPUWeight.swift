import ApusCompute
import CApusKernels

/// A matrix for the kernels: in panels, or row by row as a checkpoint holds it, to be packed whenever it is multiplied.
final class CPUWeight: PreparedWeight, @unchecked Sendable {
    let shape: Shape
    let format: WeightFormat
    let source: WeightSource
    let placement: PanelPlacement?

    var outputs: Int { shape[0] }
    var inputs: Int { shape[1] }
    var panelCount: Int { (outputs + Self.panel - 1) / Self.panel }
    var panelByteCount: Int { apus_panel_bytes(format.kernelType, inputs) }
    var ownedByteCount: Int { placement == nil ? 0 : panelCount * panelByteCount }

    /// Outputs of a panel.
    static let panel = Int(APUS_PANEL)

    init(_ source: WeightSource, as format: WeightFormat, placement: PanelPlacement?) {
        self.source = source
        self.format = format
        self.placement = placement
        shape = source.shape
    }

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
                apus_pack_panel(
                    matrix, format.kernelType, panel, target + (panel - panels.lowerBound) * panelByteCount)
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
            return withUnsafePointer(to: matrix, body)
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
        }
    }
}
