/// Integers that the weights of products are rounded to.
public enum Quantization: String, Sendable, Hashable, Codable, CaseIterable {
    /// 8 bits, with a scale for each output.
    case int8
    /// 4 bits, with a grid for each 32 inputs and a scale for each output; the last product has 8 bits.
    case int4

    package var format: WeightFormat { self == .int8 ? .int8 : .int4 }

    /// What the last product has, whose errors nothing evens out: never fewer than 8 bits.
    package var ofHead: Quantization { .int8 }
}
