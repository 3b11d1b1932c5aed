package import ApusCheckpoints
package import ApusCompute

/// How a family of decoder-only transformers differs from another, as data.
package struct DecoderSpec: Sendable, Equatable {
    package var vocabularySize: Int
    package var hiddenSize: Int
    package var embedding: EmbeddingSpec
    /// The kinds of layers that there are, and which of them each layer is.
    package var kinds: [LayerKind]
    package var pattern: [Int]
    package var finalNorm: NormSpec?
    /// What logits are multiplied with.
    package var logitScale: Float = 1
    /// Logits become cap · tanh(logit / cap).
    package var logitSoftCap: Float?
    package var headHasBias = false
    /// The output projection is the embedding table.
    package var tiedEmbeddings: Bool
    /// The rotary embeddings that layers choose from.
    package var rotaries: [RotarySpec]
    package var queryScaling: QueryScaling?
    /// How many of the last keys a token sees that was generated, itself among them; tokens of a prompt see all before
    /// them. What transformers' cache makes of `sliding_window` where a family's attention knows no window.
    package var window: Int?
    /// The length past which a sequence is computed anew, all its tokens with the frequencies of longer ones.
    package var recomputedPast: Int?
    /// Positions that the configuration names.
    package var maxPositions: Int
    package var names: DecoderWeightNames

    package var layers: Int { pattern.count }

    /// The first of some layers up to the last that are on one device, since some take up keys and values of others.
    package var firstInseparableLayer: Int? { kinds.compactMap(\.attention.sharedCache).min() }

    package func kind(ofLayer layer: Int) -> LayerKind { kinds[pattern[layer]] }

    /// Tokens of a sequence that the model was made for.
    package var trainedContextLength: Int { rotaries.map { $0.reach(of: maxPositions) }.max() ?? maxPositions }

    /// Most tokens of a sequence unless somebody says otherwise: what the model was made for, but never too few to try it.
    /// Without scaling a model runs on past its positions, as with transformers, but hardly to any use.
    package var defaultContextLength: Int {
        let usual = rotaries.contains(where: \.isScaled) ? trainedContextLength : 2 * maxPositions
        return min(max(usual, 2048), mostPositions ?? .max)
    }

    /// Positions beyond which there is no embedding, if there are such.
    package var mostPositions: Int? { embedding.positions?.rows }

    /// Throws `ModelError` (`.unsupported`) for a context beyond the positions that are learned.
    package func check(contextLength: Int?) throws(ModelError) {
        guard let contextLength, let most = mostPositions, contextLength > most else { return }
        throw .unsupported(
            "a context of \(contextLength) tokens: the model has learned \(most) positions and knows no more")
    }

    /// Whether the keys and values of a token depend on nothing but the tokens up to it, so that prompts may share them.
    package var sharesPrefixes: Bool { rotaries.allSatisfy(\.dependsOnPositionOnly) && window == nil && !hasStates }

    /// Whether a sequence has states beside its keys and values.
    package var hasStates: Bool { kinds.contains { $0.recurrent != nil } }

}

/// What a token is before the first layer.
package struct EmbeddingSpec: Sendable, Equatable {
    package struct Positions: Sendable, Equatable {
        /// Positions that there are.
        package var rows: Int
        /// Rows of the table before that of position 0.
        package var offset = 0
    }

    /// Elements of a row of the table. If it is not the hidden size, a projection leads from one to the other, and another
    /// back before the head.
    package var width: Int
    /// What rows of the table are multiplied with.
    package var scale: Float = 1
    /// Whether that is rounded to the type of the weights.
    package var roundsScale = false
    /// Positions that are learned, and added.
    package var positions: Positions?
    package var norm: NormSpec?
    package var perLayer: PerLayer?

    /// What each layer gets of a token, beside what comes from the layers before it.
    package struct PerLayer: Sendable, Equatable {
        /// Elements for each layer.
        package var width: Int
        /// Rows of the table.
        package var rows: Int
        package var activation: Activation
    }

    package init(width: Int) { self.width = width }
}

/// What queries are multiplied with by their position: 1 + beta · log(1 + ⌊position / length⌋).
package struct QueryScaling: Sendable, Equatable {
    package var beta: Double
    package var length: Int
}

extension DecoderSpec {
    /// The first `model_type` of each family that there is.
    package static var modelTypes: [String] { ArchitectureRegistry.all.compactMap { $0.modelTypes.first } }

    /// What a model directory's `config.json` describes. Throws `ModelError` (`.unsupported`) for an architecture that is
    /// not supported, `CheckpointError` for values out of bounds.
    package init(_ config: ConfigurationFile) throws { self = try ArchitectureRegistry.decoder(for: config) }
}
