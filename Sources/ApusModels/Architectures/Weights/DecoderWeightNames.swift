/// What a family calls its weights.
package struct DecoderWeightNames: Sendable, Equatable {
    /// Dotted paths to what holds the embedding, the layers and the last norm, empty for the top. Checkpoints have one of
    /// them: that which they are saved with first.
    package var bodies = ["model", ""]
    package var layers = "layers"
    /// The same for the output projection.
    package var heads = ["lm_head"]
    /// Whether the checkpoint holds one matrix as table and head, under the head's name.
    package var tableIsHead = false
    /// Matrices of a layer whose elements lie as [inputs, outputs].
    package var transposed: Set<WeightRole> = []
    /// Matrices of experts that are stored as one tensor for all.
    package var stacked: Set<WeightRole> = []
    /// Matrices whose module is the tensor.
    package var bare: Set<WeightRole> = []
    /// Bare matrices that the checkpoint holds in blocks of MXFP4.
    package var packed: Set<WeightRole> = []
    /// Beginnings and ends of names that checkpoints carry although nothing is made of them.
    package var ignoredPrefixes: [String] = []
    package var ignoredSuffixes = ["rotary_emb.inv_freq"]
    private(set) var fusions: [Fusion] = []

    /// Several matrices stored as one: groups, one after the other, each of the same parts in the same order.
    struct Fusion: Sendable, Equatable {
        let module: String
        let parts: [WeightRole]
        let groups: Groups
    }

    package enum Groups: Sendable, Equatable {
        case count(Int)
        case heads
        case kvHeads
        /// As many as each part has outputs: they take turns.
        case outputs
    }

    /// Modules: those of a layer below it, the others but the head below the body. `#` stands for the number of an expert.
    private var modules: [WeightRole: String] = [
        .embedding: "embed_tokens", .positions: "embed_positions", .embeddingNorm: "embed_norm",
        .inputProjection: "project_in", .outputProjection: "project_out", .finalNorm: "norm",
        .attentionNorm: "input_layernorm",
        .query: "self_attn.q_proj", .key: "self_attn.k_proj", .value: "self_attn.v_proj", .output: "self_attn.o_proj",
        .queryNorm: "self_attn.q_norm", .keyNorm: "self_attn.k_norm", .sinks: "self_attn",
        .mixed: "linear_attn.in_proj_qkv", .mixedGate: "linear_attn.in_proj_z",
        .forgetting: "linear_attn.in_proj_a", .learning: "linear_attn.in_proj_b",
        .convolution: "linear_attn.conv1d", .decay: "linear_attn", .decayOffset: "linear_attn",
        .deltaNorm: "linear_attn.norm", .convolutionGate: "conv.in_proj", .convolutionInput: "conv.in_proj",
        .convolutionOutputGate: "conv.in_proj",
        .attentionAfterNorm: "post_attention_layernorm",
        .mlpNorm: "post_attention_layernorm",
        .gate: "mlp.gate_proj", .up: "mlp.up_proj", .down: "mlp.down_proj",
        .router: "mlp.gate", .choiceBias: "mlp.gate", .sharedRouter: "mlp.shared_expert_gate",
        .expertGate: "mlp.experts.#.gate_proj", .expertUp: "mlp.experts.#.up_proj",
        .expertDown: "mlp.experts.#.down_proj",
        .sharedGate: "mlp.shared_experts.gate_proj", .sharedUp: "mlp.shared_experts.up_proj",
        .sharedDown: "mlp.shared_experts.down_proj",
        .perLayerTable: "embed_tokens_per_layer", .perLayerProjection: "per_layer_model_projection",
        .perLayerNorm: "per_layer_projection_norm", .perLayerGate: "per_layer_input_gate",
        .perLayerOutput: "per_layer_projection", .perLayerAfterNorm: "post_per_layer_input_norm",
        .routerNorm: "router", .expertScales: "router", .expertNorm: "pre_feedforward_layernorm_2",
        .expertAfterNorm: "post_feedforward_layernorm_2", .denseAfterNorm: "post_feedforward_layernorm_1",
        .mlpAfterNorm: "post_feedforward_layernorm",
    ]

    package init() {}

    /// What stands in the place of attention has its own name for the last product.
    package var recurrentOutput = "linear_attn.out_proj"
    /// The tensor of the sinks, below their module.
    package var sinks = "sinks"

    subscript(role: WeightRole) -> String {
        get { role == .head ? head : modules[role] ?? "" }
        set { modules[role] = newValue }
    }

    /// Gives some modules other names.
    mutating func rename(_ names: [WeightRole: String]) { modules.merge(names) { _, new in new } }

    /// Some matrices are stored as one.
    mutating func fuse(_ parts: [WeightRole], as module: String, groups: Groups = .count(1)) {
        fusions.append(Fusion(module: module, parts: parts, groups: groups))
        for part in parts { modules[part] = module }
    }

    var body: String { bodies.first ?? "" }
    var head: String { heads.first ?? "" }

    /// The module of a weight of an expert.
    func module(_ role: WeightRole, expert: Int? = nil, isRecurrent: Bool = false) -> String {
        if role == .output, isRecurrent { return recurrentOutput }
        guard let expert else { return self[role] }
        return self[role].split(separator: ".").map { $0 == "#" ? "\(expert)" : String($0) }.joined(separator: ".")
    }

    /// The place of something in the body. A body without a name lies at the top.
    func inBody(_ path: String) -> String { body.isEmpty ? path : "\(body).\(path)" }

    /// The place of the table that tokens are looked up in.
    var table: String { tableIsHead ? head : inBody(self[.embedding]) }

    /// The place of a part of a layer.
    func layer(_ index: Int, _ part: String) -> String { inBody("\(layers).\(index).\(part)") }

    /// Some checkpoints hold as one tensor what others hold for each expert.
    mutating func stackExperts(where contains: (String) -> Bool) {
        guard stacked.isEmpty else { return }
        // MLX has names of its own.
        let switched = [WeightRole.expertGate: "gate_proj", .expertUp: "up_proj", .expertDown: "down_proj"]
            .mapValues { "\(self[.expertGate].prefix { $0 != "#" }.dropLast("experts.".count))switch_mlp.\($0)" }
        if let gate = switched[.expertGate], contains("\(gate).weight") {
            rename(switched)
            stacked = Set(switched.keys)
            return
        }
        let (fused, down) = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")
        guard contains(fused) else { return }
        fuse([.expertGate, .expertUp], as: fused)
        self[.expertDown] = down
        stacked = [.expertGate, .expertUp, .expertDown]
        bare = stacked
    }

    /// Whether a tensor is one that nothing is made of.
    func ignores(_ name: String) -> Bool {
        ignoredPrefixes.contains(where: name.hasPrefix) || ignoredSuffixes.contains(where: name.hasSuffix)
    }
}
