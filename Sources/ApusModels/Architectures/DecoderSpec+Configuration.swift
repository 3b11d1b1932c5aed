import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// A model whose layers are all alike, as Llama has them: a root mean square norm before attention and before a gated MLP,
    /// rotary positions, no biases. Families change what they have otherwise.
    /// Throws `CheckpointError` for values out of bounds.
    init(_ config: ConfigurationFile, defaults: DecoderDefaults) throws(CheckpointError) {
        let hiddenSize = try config.optionalPositive("hidden_size") ?? defaults.hiddenSize
        let heads = try config.optionalPositive("num_attention_heads") ?? defaults.heads
        // Null means something else than absent.
        let standardKVHeads = config.isNull("num_key_value_heads") ? heads : defaults.kvHeads ?? heads
        let kvHeads = try config.optionalPositive("num_key_value_heads") ?? standardKVHeads
        let standardHeadDim = config.isNull("head_dim") ? nil : defaults.headDim
        let headDim = try config.optionalPositive("head_dim") ?? standardHeadDim ?? hiddenSize / heads
        guard heads % kvHeads == 0 else {
            throw config.fault("num_key_value_heads", expected: "a divisor of \(heads)", got: String(kvHeads))
        }
        guard headDim > 0, headDim % 2 == 0 else {
            throw config.fault("head_dim", expected: "an even number above 0", got: String(headDim))
        }
        let maxPositions =
            try config.optionalPositive("max_position_embeddings", atMost: 1 << 40) ?? defaults.maxPositions
        let norm = NormSpec(epsilon: try config.optionalDouble("rms_norm_eps") ?? defaults.epsilon)
        let mlp = MLPSpec(
            width: try config.optionalPositive("intermediate_size") ?? defaults.width,
            activation: try config.activation("hidden_act"))
        self.init(
            vocabularySize: try config.optionalPositive("vocab_size", atMost: 1 << 30) ?? defaults.vocabularySize,
            hiddenSize: hiddenSize,
            kinds: [
                LayerKind(
                    attention: AttentionSpec(heads: heads, kvHeads: kvHeads, headDim: headDim), mlp: mlp,
                    attentionNorm: norm, mlpNorm: norm)
            ],
            pattern: Array(
                repeating: 0,
                count: try config.optionalPositive("num_hidden_layers", atMost: 10_000) ?? defaults.layers),
            finalNorm: norm,
            tiedEmbeddings: try config.optionalBool("tie_word_embeddings") ?? defaults.isTied,
            rotary: try RotarySpec(config, headDim: headDim, maxPositions: maxPositions, theta: defaults.theta),
            maxPositions: maxPositions,
            names: DecoderWeightNames())
    }

    /// `attention_bias`, of all four projections, and `mlp_bias`, as Llama has them.
    mutating func setBiases(_ config: ConfigurationFile) throws(CheckpointError) {
        let hasBias = try config.optionalBool("attention_bias") ?? false
        kinds[0].attention.hasInputBias = hasBias
        kinds[0].attention.hasOutputBias = hasBias
        kinds[0].mlp.hasBias = try config.optionalBool("mlp_bias") ?? false
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
    mutating func setWindow(_ window: Int, ofLayers slides: (Int) -> Bool) {
        changeLayers { layer, kind in
            if slides(layer) { kind.attention.window = window }
        }
    }
}

extension ConfigurationFile {
    /// An activation by the names of transformers' `ACT2FN`; `silu` if absent.
    func activation(_ key: String) throws(CheckpointError) -> Activation {
        let name = try optionalString(key) ?? "silu"
        switch name {
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return .geluTanh
        case "relu": return .relu
        default: throw fault(key, expected: "silu, gelu, gelu_pytorch_tanh or relu", got: "'\(name)'")
        }
    }

    /// `sliding_window`: null means none.
    func window(default standard: Int) throws(CheckpointError) -> Int? {
        let key = "sliding_window"
        return isNull(key) ? nil : try optionalPositive(key, atMost: 1 << 40) ?? standard
    }

    /// Which layers have a window by `layer_types`, one name for each layer; `nil` if absent.
    func slidingLayers(count: Int) throws(CheckpointError) -> [Bool]? {
        let key = "layer_types"
        guard self[key] != nil else { return nil }
        let types = try strings(key)
        guard types.count == count else { throw fault(key, expected: "\(count) names", got: "\(types.count)") }
        return types.map { $0 == "sliding_attention" }
    }
}
