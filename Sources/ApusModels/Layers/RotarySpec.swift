/// Rotary position embedding (Su et al., arXiv 2104.09864) and how it is stretched beyond the trained context.
///
/// The formulas, and the keys that hold their parameters, are those of transformers' `modeling_rope_utils`.
package struct RotarySpec: Sendable, Equatable {
    package enum Scaling: Sendable, Equatable {
        case none
        /// Positions divided by `factor`.
        case linear(factor: Double)
        /// A base that grows with the sequence once it is longer than `maxPositions`.
        case dynamic(factor: Double, maxPositions: Int)
        /// Long wavelengths divided by `factor`, short ones kept, those between interpolated (Llama 3.1).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalPositions: Int)
        /// Peng et al., arXiv 2309.00071.
        case yarn(Yarn)
    }

    package struct Yarn: Sendable, Equatable {
        package var factor: Double
        package var betaFast: Double
        package var betaSlow: Double
        package var truncate: Bool
        package var originalPositions: Int
        /// Multiplies cosines and sines.
        package var attentionFactor: Double
    }

    package var headDim: Int
    package var theta: Double
    package var scaling: Scaling

    /// Whether a token's angles depend on its position alone.
    package var dependsOnPositionOnly: Bool {
        if case .dynamic = scaling { false } else { true }
    }

    package var attentionFactor: Float {
        if case .yarn(let yarn) = scaling { Float(yarn.attentionFactor) } else { 1 }
    }
}
