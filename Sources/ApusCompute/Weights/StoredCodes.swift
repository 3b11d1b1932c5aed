/// Where a checkpoint holds the codes of a matrix, and what stands beside them.
package enum StoredCodes: Sendable {
    /// In blocks, rows one after the other.
    case blocks(BlockFormat)
    case arrays(CodeArrays)

    /// What products make of them.
    package var product: WeightFormat {
        switch self {
        case .blocks(let format): .grouped(format.grouping)
        case .arrays(let arrays): arrays.product
        }
    }

    /// Which places of a panel have which inputs, unless each has its own.
    package var order: InputOrder? {
        guard case .arrays(let arrays) = self else { return nil }
        return arrays.order
    }
}

/// The blocks of ggml's formats.
package enum BlockFormat: String, Sendable, Hashable, CaseIterable {
    case q40 = "Q4_0"
    case q41 = "Q4_1"
    case q50 = "Q5_0"
    case q51 = "Q5_1"
    case q80 = "Q8_0"
    case q2k = "Q2_K"
    case q3k = "Q3_K"
    case q4k = "Q4_K"
    case q5k = "Q5_K"
    case q6k = "Q6_K"
    case iq4nl = "IQ4_NL"
    case iq4xs = "IQ4_XS"
    case mxfp4 = "MXFP4"

    /// Inputs and bytes of a block.
    package var size: (inputs: Int, bytes: Int) {
        switch self {
        case .q40, .iq4nl: (32, 18)
        case .q41: (32, 20)
        case .q50: (32, 22)
        case .q51: (32, 24)
        case .q80: (32, 34)
        case .mxfp4: (32, 17)
        case .q2k: (256, 84)
        case .q3k: (256, 110)
        case .q4k: (256, 144)
        case .q5k: (256, 176)
        case .q6k: (256, 210)
        case .iq4xs: (256, 136)
        }
    }

    /// What products make of it.
    package var grouping: WeightGrouping {
        switch self {
        case .q40: WeightGrouping(bits: 4, zero: 8, group: 32, scale: .float16)
        case .q41: WeightGrouping(bits: 4, group: 32, scale: .float16, offset: .own)
        case .q50: WeightGrouping(bits: 5, zero: 16, group: 32, scale: .float16)
        case .q51: WeightGrouping(bits: 5, group: 32, scale: .float16, offset: .own)
        case .q80: WeightGrouping(bits: 8, zero: 128, group: 32, scale: .float16)
        case .q2k: WeightGrouping(bits: 2, group: 16, scale: .unsigned, offset: .own)
        case .q3k: WeightGrouping(bits: 3, zero: 4, group: 16, scale: .signed)
        case .q4k: WeightGrouping(bits: 4, group: 32, scale: .unsigned, offset: .own)
        case .q5k: WeightGrouping(bits: 5, group: 32, scale: .unsigned, offset: .own)
        case .q6k: WeightGrouping(bits: 6, zero: 32, group: 16, scale: .signed)
        case .iq4nl: WeightGrouping(bits: 4, zero: 128, group: 32, scale: .float16, table: Self.nonLinear)
        case .iq4xs: WeightGrouping(bits: 4, zero: 128, group: 32, scale: .signed, table: Self.nonLinear)
        case .mxfp4: WeightGrouping(bits: 4, zero: 128, group: 32, scale: .bfloat16, table: Self.twiceE2M1)
        }
    }

    /// Of ggml's IQ4_NL, 128 added.
    private static let nonLinear: [UInt8] = [1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241]
    /// 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their opposites, twice, 128 added.
    package static let twiceE2M1: [UInt8] = [
        128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116,
    ]

    /// Bytes of a row; `nil` where the inputs are no whole blocks.
    package func rowByteCount(inputs: Int) -> Int? {
        inputs % size.inputs == 0 ? inputs / size.inputs * size.bytes : nil
    }
}
