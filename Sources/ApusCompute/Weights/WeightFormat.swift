/// How the elements of a matrix are kept, in a checkpoint and for products.
public enum WeightFormat: Sendable, Hashable, Codable {
    case float32, float16, bfloat16
    /// Integers of 8 bits with a scale for each output. Activations are rounded to 8 bits with a scale for each token.
    case int8
    /// Codes of 4 bits, with a multiplier from 1 to 15 and the code that stands for nothing for each 32 inputs, and a scale for each
    /// output (after Lin et al., arXiv 2405.04532). Activations as for `int8`.
    case int4
    /// Codes as the formats of others have them.
    case grouped(WeightGrouping)

    package init?(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        default: return nil
        }
    }

    /// What a float matrix is rounded to.
    package var isQuantized: Bool { self == .int8 || self == .int4 }

    package var grouping: WeightGrouping? {
        guard case .grouped(let grouping) = self else { return nil }
        return grouping
    }

    /// Inputs that share a grid in `int4`.
    package static let groupSize = 32

    /// Grids of a row of `int4`.
    package static func groups(inputs: Int) -> Int { inputs / groupSize + (inputs % groupSize == 0 ? 0 : 1) }

    /// Bytes of a stored row; those of a grouped matrix lie in ways of their own. Two inputs of `int4` share a byte, the first in its low half.
    package func rowByteCount(inputs: Int) -> Int {
        switch self {
        case .float32: inputs * 4
        case .float16, .bfloat16: inputs * 2
        case .int8: inputs
        case .int4: (inputs + 1) / 2
        case .grouped: 0
        }
    }

    /// Bytes of a matrix in the layout that devices prepare: panels of 16 outputs, the inputs padded to whole steps, then for
    /// integers a scale and a sum for each output, and for `int4` the grids. `nil` if no integer counts them.
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
            case .grouped(let grouping): grouping.panelByteCount(inputs: inputs)
            }
        let (bytes, overflow) = ((outputs + 15) / 16).multipliedReportingOverflow(by: panel)
        return overflow ? nil : bytes
    }
}

extension WeightFormat: CustomStringConvertible {
    public var description: String {
        switch self {
        case .float32: "float32"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .int8: "int8"
        case .int4: "int4"
        case .grouped(let grouping): "\(grouping.bits)-bit codes in groups of \(grouping.group)"
        }
    }

    /// Those whose name is all that there is to say.
    package static let named: [WeightFormat] = [.float32, .float16, .bfloat16, .int8, .int4]

    package init?(name: String) {
        guard let format = Self.named.first(where: { $0.description == name }) else { return nil }
        self = format
    }
}
