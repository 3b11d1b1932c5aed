/// How the elements of a matrix are kept, in a checkpoint and for products.
public enum WeightFormat: String, Sendable, Hashable, Codable, CaseIterable {
    case float32, float16, bfloat16
    /// Integers of 8 bits with a scale for each output. Activations are rounded to 8 bits with a scale for each token.
    case int8
    /// Integers of 4 bits, times a multiplier from 1 to 15 for each 32 inputs, with a scale for each output (after Lin et
    /// al., arXiv 2405.04532). Activations as for `int8`.
    case int4

    package init?(_ dtype: DType) {
        guard dtype.isFloatingPoint else { return nil }
        self.init(rawValue: dtype.rawValue)
    }

    package var isQuantized: Bool { self == .int8 || self == .int4 }

    /// Inputs that share a multiplier in `int4`.
    package static let groupSize = 32

    /// Multipliers of a row of `int4`.
    package static func groups(inputs: Int) -> Int { inputs / groupSize + (inputs % groupSize == 0 ? 0 : 1) }

    /// Bytes of a stored row. Two inputs of `int4` share a byte, the first in its low half, each as value + 8.
    package func rowByteCount(inputs: Int) -> Int {
        switch self {
        case .float32: inputs * 4
        case .float16, .bfloat16: inputs * 2
        case .int8: inputs
        case .int4: (inputs + 1) / 2
        }
    }

    /// Bytes of a matrix in the layout that devices prepare: panels of 16 outputs, the inputs padded to whole steps, then for
    /// integers a scale and a sum for each output, and for `int4` the multipliers. `nil` if no integer counts them.
    package func preparedByteCount(outputs: Int, inputs: Int) -> Int? {
        guard outputs >= 0, inputs >= 0, outputs <= 1 << 40, inputs <= 1 << 40 else { return nil }
        let unit = self == .int4 ? 128 : self == .int8 ? 64 : 32
        let padded = (inputs + unit - 1) / unit * unit
        let panel =
            switch self {
            case .float32: padded * 64
            case .float16, .bfloat16: padded * 32
            case .int8: padded * 16 + 128
            case .int4: padded * 8 + padded / Self.groupSize * 16 + 128
            }
        let (bytes, overflow) = ((outputs + 15) / 16).multipliedReportingOverflow(by: panel)
        return overflow ? nil : bytes
    }
}
