/// How the elements of a matrix are made of codes of a few bits, with a scale and perhaps an offset for each group of inputs:
///
///     weight[o, i] = scale[o, group of i] · (value(code[o, i]) - zero) + offset[o, group of i]
///
/// Activations of its products are rounded to 8 bits with a scale for each 32 inputs, or 64 where groups are as long. Codes that stand for floats are widened to
/// bfloat16 on the way into products, panel by panel.
public struct WeightGrouping: Sendable, Hashable, Codable {
    public enum Scale: UInt8, Sendable, Hashable, Codable {
        case float16, bfloat16, float32
        /// Integers of 8 bits, times a float16 for each 256 inputs.
        case unsigned, signed
        /// A float32 for each output.
        case row
        /// E4M3, times a float32 for each output.
        case float8
    }

    public enum Offset: UInt8, Sendable, Hashable, Codable {
        case none
        /// Of the scale's type. Beside unsigned scales it is taken away, and has a float16 of its own.
        case own
        /// A number z for each group, of float16, which stands for -scale · z.
        case zero
    }

    /// What codes stand for.
    public enum Codes: Sendable, Hashable, Codable {
        /// Themselves, or entries of `table`.
        case integers
        /// 16 floats.
        case floats([Float])
        /// E4M3 (Micikevicius et al., arXiv 2209.05433).
        case float8
    }

    /// Of a code: 2 to 6, or 8.
    public var bits: Int
    /// What is taken from every value; 0 where there are offsets.
    public var zero: Int
    /// Inputs that share a scale: 16, 32, 64 or 128.
    public var group: Int
    public var scale: Scale
    public var offset: Offset
    /// The values that 16 codes stand for; the code itself if `nil`.
    public var table: [UInt8]?
    public var codes = Codes.integers

    package init(
        bits: Int, zero: Int = 0, group: Int, scale: Scale, offset: Offset = .none, table: [UInt8]? = nil
    ) {
        (self.bits, self.zero, self.group) = (bits, zero, group)
        (self.scale, self.offset, self.table) = (scale, offset, table)
    }

    /// A matrix of floats, with neither zeros nor offsets.
    package init(_ codes: Codes, group: Int, scale: Scale) {
        self.init(bits: codes == .float8 ? 8 : 4, group: group, scale: scale)
        self.codes = codes
    }

    /// Whether products read it as bfloat16.
    package var isWidened: Bool { codes != .integers }

    /// Inputs of a block of a panel, to a multiple of which rows are padded.
    private var blockInputs: Int { hasHalves ? 256 : group == 128 ? 128 : 64 }
    private var hasHalves: Bool { scale == .unsigned || scale == .signed }

    /// Bytes of a panel of 16 outputs (`grouped.h`), the inputs being at most 2⁴⁰.
    package func panelByteCount(inputs: Int) -> Int {
        let width =
            switch scale {
            case .float16, .bfloat16: 2
            case .float32: 4
            case .unsigned, .signed, .float8: 1
            case .row: 0
            }
        let offsetWidth = offset == .none || scale == .row ? 0 : offset == .own ? width : 2
        var values = blockInputs / group * 16 * (width + offsetWidth)
        if hasHalves { values += offset == .own ? 64 : 32 }
        let block = blockInputs * 2 * bits + (values + 63) / 64 * 64
        return (inputs + blockInputs - 1) / blockInputs * block + (scale == .row || scale == .float8 ? 128 : 0)
    }
}
