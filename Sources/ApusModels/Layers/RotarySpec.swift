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
        /// Each frequency divided by a factor of its own, others once the sequence is longer than the original context (Ding
        /// et al., arXiv 2402.13753).
        case longrope(LongRope)
        /// Each frequency divided by a factor of its own.
        case factors([Double])
        /// Positions divided by `factor`; only the first `pairs` turn.
        case proportional(factor: Double, pairs: Int)
    }

    package struct LongRope: Sendable, Equatable {
        /// [turned / 2]
        package var shortFactors: [Double]
        package var longFactors: [Double]
        package var originalPositions: Int
        /// Multiplies cosines and sines.
        package var attentionFactor: Double
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

    /// Elements of each head that turn, the first ones.
    package var turned: Int
    package var theta: Double
    package var scaling: Scaling
    /// Elements 2i and 2i + 1 turn together, rather than i and i + turned / 2.
    package var turnsNeighbours = false

    package init(turned: Int, theta: Double, scaling: Scaling) {
        (self.turned, self.theta, self.scaling) = (turned, theta, scaling)
    }

    /// Whether a token's angles depend on its position alone.
    package var dependsOnPositionOnly: Bool {
        switch scaling {
        case .dynamic, .longrope: false
        default: true
        }
    }

    /// The length of a sequence past which all its tokens have other angles than up to there.
    package var changesPast: Int? {
        guard case .longrope(let longrope) = scaling else { return nil }
        return longrope.originalPositions
    }

    package var attentionFactor: Float {
        switch scaling {
        case .yarn(let yarn): Float(yarn.attentionFactor)
        case .longrope(let longrope): Float(longrope.attentionFactor)
        default: 1
        }
    }

    /// Whether the embedding is stretched beyond what the model was first trained for.
    package var isScaled: Bool {
        switch scaling {
        case .none, .proportional: false
        default: true
        }
    }

    /// Positions that the scaling reaches, for a configuration that names `positions`.
    package func reach(of positions: Int) -> Int {
        func times(_ positions: Int, _ factor: Double) -> Int {
            max(Int(exactly: min(Double(positions) * factor, 0x1p40).rounded(.down)) ?? positions, 1)
        }
        switch scaling {
        case .linear(let factor), .dynamic(let factor, _): return times(positions, factor)
        case .yarn(let yarn): return max(positions, times(yarn.originalPositions, yarn.factor))
        default: return positions
        }
    }
}
