package import ApusCheckpoints
package import ApusCompute

/// How a family of decoder-only transformers differs from another, as data.
package struct DecoderSpec: Sendable, Equatable {
    package var vocabularySize: Int
    package var hiddenSize: Int
    /// The kinds of layers that there are, and which of them each layer is.
    package var kinds: [LayerKind]
    package var pattern: [Int]
    /// What rows of the table are multiplied with.
    package var embeddingScale: Float = 1
    package var finalNorm: NormSpec
    /// What logits are multiplied with.
    package var logitScale: Float = 1
    /// The output projection is the embedding table.
    package var tiedEmbeddings: Bool
    package var rotary: RotarySpec
    /// How many of the last keys a token sees that was generated, itself among them; tokens of a prompt see all before
    /// them. What transformers' cache makes of `sliding_window` where a family's attention knows no window.
    package var window: Int?
    /// Positions that the configuration names.
    package var maxPositions: Int
    package var names: DecoderWeightNames

    package var layers: Int { pattern.count }

    package func kind(ofLayer layer: Int) -> LayerKind { kinds[pattern[layer]] }

    /// Tokens of a sequence that the model was made for.
    package var trainedContextLength: Int { rotary.reach(of: maxPositions) }

    /// Most tokens of a sequence unless somebody says otherwise: what the model was made for, but never too few to try it.
    /// Without scaling a model runs on past its positions, as with transformers, but hardly to any use.
    package var defaultContextLength: Int {
        max(rotary.isScaled ? trainedContextLength : 2 * maxPositions, 2048)
    }

    /// Whether the keys and values of a token depend on nothing but the tokens up to it, so that prompts may share them.
    package var sharesPrefixes: Bool { rotary.dependsOnPositionOnly && window == nil }
}

extension DecoderSpec {
    /// The first `model_type` of each family that there is.
    package static var modelTypes: [String] { ArchitectureRegistry.all.compactMap { $0.modelTypes.first } }

    /// What a model directory's `config.json` describes. Throws `ModelError` (`.unsupported`) for an architecture that is
    /// not supported, `CheckpointError` for values out of bounds.
    package init(_ config: ConfigurationFile) throws { self = try ArchitectureRegistry.decoder(for: config) }
}
