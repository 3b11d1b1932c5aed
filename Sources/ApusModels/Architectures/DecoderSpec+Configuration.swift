import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// A model whose layers are all alike, as Llama has them: a norm before attention and before a gated MLP, rotary positions,
    /// no biases. Families change what they have otherwise.
    /// Throws `CheckpointError` for values out of bounds.
    init(_ config: ConfigurationFile, defaults: DecoderDefaults) throws(CheckpointError) {
        let keys = defaults.keys
        let hiddenSize = try config.optionalPositive(keys.hiddenSize) ?? defaults.hiddenSize
        let heads = try config.optionalPositive(keys.heads) ?? defaults.heads
        // Null means something else than absent.
        let standardKVHeads = config.isNull(keys.kvHeads) ? heads : defaults.kvHeads ?? heads
        let kvHeads = try config.optionalPositive(keys.kvHeads) ?? standardKVHeads
        let standardHeadDim = config.isNull("head_dim") ? nil : defaults.headDim
        let headDim = try config.optionalPositive("head_dim") ?? standardHeadDim ?? hiddenSize / heads
        guard heads % kvHeads == 0 else {
            throw config.fault(keys.kvHeads, expected: "a divisor of \(heads)", got: String(kvHeads))
        }
        guard headDim > 0, headDim % 2 == 0 else {
            throw config.fault("head_dim", expected: "an even number above 0", got: String(headDim))
        }
        let maxPositions = try config.optionalPositive(keys.maxPositions, atMost: 1 << 40) ?? defaults.maxPositions
        let epsilon = try config.optionalDouble(keys.epsilon) ?? defaults.epsilon
        guard epsilon >= 0 else {
            throw config.fault(keys.epsilon, expected: "a number of 0 or more", got: String(epsilon))
        }
        let norm = NormSpec(defaults.norm, epsilon: epsilon)
        let mlp = MLPSpec(
            width: try config.optionalPositive(keys.width) ?? defaults.width,
            activation: try config.activation(keys.activation, default: defaults.activation))
        self.init(
            vocabularySize: try config.optionalPositive("vocab_size", atMost: 1 << 30) ?? defaults.vocabularySize,
            hiddenSize: hiddenSize,
            embedding: EmbeddingSpec(width: hiddenSize),
            kinds: [
                LayerKind(
                    attention: AttentionSpec(heads: heads, kvHeads: kvHeads, headDim: headDim), mlp: mlp, norm: norm)
            ],
            pattern: Array(
                repeating: 0, count: try config.optionalPositive(keys.layers, atMost: 10_000) ?? defaults.layers),
            finalNorm: norm,
            tiedEmbeddings: try config.optionalBool("tie_word_embeddings") ?? defaults.isTied,
            rotaries: [
                try RotarySpec(
                    config, headDim: headDim, maxPositions: maxPositions, theta: defaults.theta,
                    share: defaults.turnedShare)
            ],
            maxPositions: maxPositions,
            names: DecoderWeightNames())
    }

    /// `attention_bias`, of all four projections, and `mlp_bias`, as Llama has them.
    mutating func setBiases(_ config: ConfigurationFile) throws(CheckpointError) {
        kinds[0].attention.hasBias = try config.optionalBool("attention_bias") ?? false
        kinds[0].mlp.hasBias = try config.optionalBool("mlp_bias") ?? false
    }

    /// Changes all norms of hidden states.
    mutating func changeNorms(_ change: (inout NormSpec) -> Void) {
        guard var norm = finalNorm else { return }
        change(&norm)
        finalNorm = norm
        for index in kinds.indices { kinds[index].setNorms(norm) }
    }

    /// Nothing turns: positions are learned, or in the slopes of scores.
    mutating func removeRotary() {
        rotaries = []
        for index in kinds.indices { kinds[index].attention.rotary = nil }
    }

    /// A table of positions instead of rotary embeddings.
    mutating func learnPositions(offset: Int = 0) {
        removeRotary()
        embedding.positions = .init(rows: maxPositions, offset: offset)
    }

    /// Changes layers, each by its number; those that are alike stay of one kind.
    mutating func changeLayers(_ change: (_ layer: Int, inout LayerKind) -> Void) {
        var found: [LayerKind] = []
        pattern = pattern.enumerated().map { layer, index in
            var kind = kinds[index]
            change(layer, &kind)
            if let same = found.firstIndex(of: kind) { return same }
            found.append(kind)
            return found.count - 1
        }
        kinds = found
    }

    /// Lets some layers see only so many keys.
    mutating func setWindow(_ window: Int?, ofLayers slides: (Int) -> Bool) {
        changeLayers { layer, kind in
            if slides(layer) { kind.attention.window = window }
        }
    }
}

extension ConfigurationFile {
    /// An activation by the names of transformers' `ACT2FN`.
    func activation(_ key: String, default standard: Activation) throws(CheckpointError) -> Activation {
        guard let name = try optionalString(key) else { return standard }
        switch name {
        case "silu", "swish": return .silu
        case "gelu", "gelu_python": return .gelu
        case "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh": return .geluTanh
        case "relu": return .relu
        case "relu2": return .reluSquared
        case "quick_gelu": return .quickGelu
        default:
            throw fault(
                key, expected: "silu, gelu, gelu_pytorch_tanh, quick_gelu, relu or relu2", got: "'\(name)'")
        }
    }

    /// `sliding_window`: null means none.
    func window(default standard: Int?) throws(CheckpointError) -> Int? {
        let key = "sliding_window"
        return isNull(key) ? nil : try optionalPositive(key, atMost: 1 << 40) ?? standard
    }

    /// Which layers have a window by `layer_types`, one name for each layer; `nil` if absent.
    func slidingLayers(count: Int) throws(CheckpointError) -> [Bool]? {
        try layers(named: "sliding_attention", count: count)
    }

    /// Which layers have a type; the others have full attention.
    func layers(named type: String, count: Int) throws(CheckpointError) -> [Bool]? {
        let key = "layer_types"
        guard self[key] != nil else { return nil }
        let types = try strings(key)
        guard types.count == count else { throw fault(key, expected: "\(count) names", got: "\(types.count)") }
        if let other = types.first(where: { $0 != type && $0 != "full_attention" }) {
            throw fault(key, expected: "\(type) or full_attention", got: "'\(other)'")
        }
        return types.map { $0 == type }
    }
}
