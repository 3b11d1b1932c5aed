import ApusCheckpoints
import ApusCompute

/// Gemma 4 (Google DeepMind, 2026): layers that see all have heads of another size, whose values may be their keys; the last
/// ones take up keys and values of others; each layer may get something of its own of a token; experts may stand beside the
/// MLP. Absent keys have the defaults of transformers' `Gemma4TextConfig`.
enum Gemma4: Architecture {
    static let modelTypes = ["gemma4_text"]
    static let names = ["Gemma4ForCausalLM", "Gemma4TextModel"]
    static let hasWindow = true

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var defaults = DecoderDefaults(
            vocabularySize: 262_144, hiddenSize: 2304, width: 9216, layers: 30, heads: 8, kvHeads: 4, headDim: 256,
            maxPositions: 131_072)
        defaults.isTied = true
        var spec = try DecoderSpec(gemma: config, defaults)
        spec.changeNorms { $0.weightOffset = 0 }
        (spec.kinds[0].attentionAfterNorm, spec.kinds[0].mlpAfterNorm) = (spec.finalNorm, spec.finalNorm)
        spec.names[.mlpNorm] = "pre_feedforward_layernorm"
        spec.logitSoftCap = try config.cap("final_logit_softcapping", default: nil)
        spec.kinds[0].attention.scale = 1
        spec.kinds[0].attention.headNorm = spec.finalNorm.map { HeadNormSpec($0) }
        spec.kinds[0].attention.valueNorm = spec.finalNorm
        spec.kinds[0].attention.valueNorm?.hasWeight = false
        spec.kinds[0].hasOutputScale = true
        let width =
            config.isNull("hidden_size_per_layer_input")
            ? 0 : try config.optionalCount("hidden_size_per_layer_input") ?? 256
        if width > 0 {
            let rows = try config.optionalPositive("vocab_size_per_layer_input", atMost: 1 << 30) ?? 262_144
            spec.embedding.perLayer = .init(width: width, rows: rows, activation: spec.kinds[0].mlp.activation)
        }
        try spec.setGemma4Experts(config)
        try spec.setGemma4Layers(config)
        return spec
    }
}

extension DecoderSpec {
    fileprivate mutating func setGemma4Layers(_ config: ConfigurationFile) throws(CheckpointError) {
        var slides = try config.slidingLayers(count: layers) ?? (0..<layers).map { ($0 + 1) % 6 != 0 }
        slides[layers - 1] = false
        let window = try config.window(default: 512)
        // As it was published, and as transformers writes it.
        let overrides = try config.optionalObject("per_layer_config")
        let full = try overrides?.optionalObject(String(slides.firstIndex(of: false) ?? 0))
        let publishedDim = try config.optionalPositive("global_head_dim")
        let headDim = try full?.optionalPositive("head_dim") ?? publishedDim ?? 512
        let keysAreValues = try config.optionalBool("attention_k_eq_v") ?? false
        let publishedHeads = keysAreValues ? try config.optionalPositive("num_global_key_value_heads") : nil
        let kvHeads = try full?.optionalPositive("num_key_value_heads") ?? publishedHeads
        let shared = try config.optionalCount("num_kv_shared_layers", atMost: layers) ?? 0
        let isWide = try config.optionalBool("use_double_wide_mlp") ?? false
        let firstShared = layers - shared
        let sources = [true, false].map { kind in slides.prefix(max(firstShared, 0)).lastIndex(of: kind) }
        guard shared == 0 || (sources[1] != nil && (sources[0] != nil || !slides.contains(true))) else {
            throw config.fault("num_kv_shared_layers", expected: "a layer of each type before them", got: "\(shared)")
        }
        guard headDim % 2 == 0, kinds[0].attention.heads % (kvHeads ?? 1) == 0 else {
            throw config.fault("global_head_dim", expected: "heads that fit each other", got: "\(headDim)")
        }
        try setGemma4Rotary(config, headDim: headDim)
        changeLayers { layer, kind in
            if slides[layer] {
                (kind.attention.window, kind.attention.rotary) = (window, 1)
            } else {
                kind.attention.headDim = headDim
                kind.attention.kvHeads = kvHeads ?? kind.attention.kvHeads
                kind.attention.valuesAreKeys = keysAreValues
            }
            guard layer >= firstShared else { return }
            kind.attention.sharedCache = sources[slides[layer] ? 0 : 1]
            if isWide { kind.mlp.width *= 2 }
        }
    }

    private mutating func setGemma4Rotary(_ config: ConfigurationFile, headDim: Int) throws(CheckpointError) {
        try setLocalRotary(config, theta: 1_000_000, localTheta: 10_000)
        rotaries[0] = RotarySpec(
            turned: headDim, theta: 1_000_000, scaling: .proportional(factor: 1, pairs: headDim / 8))
        if let nested = try config.optionalObject("rope_parameters")?.optionalObject("full_attention") {
            rotaries[0] = try RotarySpec(
                nested, parameters: nested, headDim: headDim, maxPositions: maxPositions, theta: 1_000_000)
        }
    }

    fileprivate mutating func setGemma4Experts(_ config: ConfigurationFile) throws(CheckpointError) {
        guard try config.optionalBool("enable_moe_block") ?? false else { return }
        var experts = try config.experts(
            count: "num_experts", 128, chosen: 8, width: 704, score: .softmax, chosenKey: "top_k_experts")
        (experts.rule.normalizes, experts.hasScales) = (true, true)
        kinds[0].mlp.experts = experts
        kinds[0].mlp.besideExperts = finalNorm
        names.rename([.router: "router.proj", .expertDown: "experts.down_proj"])
        names.fuse([.expertGate, .expertUp], as: "experts.gate_up_proj")
        names.stacked = [.expertGate, .expertUp, .expertDown]
        names.bare = names.stacked
    }
}
