package import ApusCheckpoints
import ApusCompute
import ApusJSON

/// What a GGUF file says of its model: the configuration that a checkpoint of the same family would have, and where its weights
/// stand otherwise.
package struct GGUFModel {
    package let file: GGUFFile
    private let tensors: [StoredTensor]
    private let architecture: GGUFArchitecture
    private let name: String

    /// Throws `CheckpointError` for a file that is none, `ModelError` (`.unsupported`) for an architecture that is not known.
    package init(path: String) throws {
        let parts = try GGUFFile.parts(path: path)
        file = parts[0]
        tensors = parts.flatMap(\.tensors)
        guard let name = try file.value("general.architecture")?.string else {
            throw CheckpointError.invalidValue("\(path): general.architecture: expected a string")
        }
        guard var architecture = GGUFArchitecture.all[name] else {
            let known = GGUFArchitecture.all.keys.sorted().joined(separator: ", ")
            throw ModelError.unsupported("\(path): general.architecture: '\(name)' is not known; known are \(known)")
        }
        if name == "llama", let experts = try file.value("llama.expert_count")?.integer, experts > 0 {
            architecture = GGUFArchitecture.mixtral
        }
        (self.name, self.architecture) = (name, architecture)
    }

    private func value(_ key: String) throws -> JSONValue? { try file.value("\(name).\(key)") }

    private func shape(_ tensor: String) -> [Int]? { tensors.first { $0.name == tensor }?.shape }

    private func has(_ tensor: String) -> Bool { shape(tensor) != nil }

    /// That of the first matrix of floating point; bfloat16 where all are codes.
    var storedType: DType {
        let plain = tensors.first { $0.shape.count > 1 && $0.codes == nil && $0.name.hasSuffix(".weight") }
        return plain.flatMap { DType(computing: $0.dtype) } ?? .bfloat16
    }

    /// What `config.json` of the same model would say.
    package func configuration() throws -> ConfigurationFile {
        var members: [JSONObject.Member] = [.init(key: "model_type", value: .string(architecture.modelType))]
        func add(_ key: String, _ value: JSONValue?) {
            if let value, !members.contains(where: { $0.key == key }) { members.append(.init(key: key, value: value)) }
        }
        for member in architecture.constants { add(member.key, member.value) }
        for (key, theirs) in architecture.keys.merging(Self.keys, uniquingKeysWith: { own, _ in own }) {
            let value = try same(theirs)
            // No window is written as one of nothing.
            add(key, key == "sliding_window" && value?.integer == 0 ? .null : value)
        }
        add("vocab_size", shape("token_embd.weight").flatMap { $0.count == 2 ? .integer($0[0]) : nil })
        add("use_qk_norm", .bool(has("blk.0.attn_q_norm.weight")))
        add("tie_word_embeddings", .bool(!has("output.weight")))
        let heads = try same("attention.head_count")?.integer ?? 0
        let width = try same("embedding_length")?.integer ?? 0
        // What the matrices say counts where nothing else does: head sizes of their own, fewer heads of keys.
        let rows = shape("blk.0.attn_q.weight")?.first ?? width
        let headDim = try value("attention.key_length")?.integer ?? (heads > 0 ? rows / heads : 0)
        if headDim > 0 {
            add("head_dim", .integer(headDim))
            if let turned = try value("rope.dimension_count")?.integer, turned != headDim {
                add("partial_rotary_factor", .number(Double(turned) / Double(headDim)))
            }
            if let layers = architecture.layersOfLargest, heads > 0 {
                // Scores are divided by the root of a head's size, but in the largest model.
                let isLargest = try same("block_count")?.integer == layers
                add("query_pre_attn_scalar", .integer(isLargest ? width / heads : headDim))
            }
            if let keys = shape("blk.0.attn_k.weight")?.first, keys % headDim == 0, keys > 0 {
                members.removeAll { $0.key == "num_key_value_heads" }
                add("num_key_value_heads", .integer(keys / headDim))
            }
        }
        if let inner = shape("blk.0.ffn_down.weight")?.last {
            members.removeAll { $0.key == "intermediate_size" }
            add("intermediate_size", .integer(inner))
        }
        if let scaling = try ropeScaling() { add("rope_scaling", .object(scaling)) }
        return ConfigurationFile(file: file.path, object: JSONObject(members))
    }

    /// A value that may be one for each layer, if it is the same for all.
    private func same(_ key: String) throws -> JSONValue? {
        guard let value = try value(key) else { return nil }
        guard let list = value.array else { return value }
        guard let first = list.first, list.allSatisfy({ $0 == first }) else {
            throw ModelError.unsupported("\(file.path): \(name).\(key): another number for each layer is not read")
        }
        return first
    }

    private static let keys = [
        "hidden_size": "embedding_length", "num_hidden_layers": "block_count",
        "num_attention_heads": "attention.head_count", "num_key_value_heads": "attention.head_count_kv",
        "intermediate_size": "feed_forward_length", "max_position_embeddings": "context_length",
        "rms_norm_eps": "attention.layer_norm_rms_epsilon", "layer_norm_eps": "attention.layer_norm_epsilon",
        "layer_norm_epsilon": "attention.layer_norm_epsilon", "norm_epsilon": "attention.layer_norm_epsilon",
        "rope_theta": "rope.freq_base", "sliding_window": "attention.sliding_window",
        "num_experts": "expert_count", "num_local_experts": "expert_count", "num_experts_per_tok": "expert_used_count",
        "moe_intermediate_size": "expert_feed_forward_length",
    ]

    private func ropeScaling() throws -> JSONObject? {
        let original = try value("rope.scaling.original_context_length")
        if has("rope_factors_short.weight") {
            var object: [JSONObject.Member] = [
                .init(key: "rope_type", value: "longrope"), .init(key: "short_factor", value: try factors("short")),
                .init(key: "long_factor", value: try factors("long")),
            ]
            if let original { object.append(.init(key: "original_max_position_embeddings", value: original)) }
            if let factor = try value("rope.scaling.attn_factor") {
                object.append(.init(key: "attention_factor", value: factor))
            }
            return JSONObject(object)
        }
        guard let type = try value("rope.scaling.type")?.string, type == "linear" || type == "yarn" else { return nil }
        var object: [JSONObject.Member] = [.init(key: "rope_type", value: .string(type))]
        func add(_ key: String, _ theirs: String) throws {
            if let value = try value("rope.scaling.\(theirs)") { object.append(.init(key: key, value: value)) }
        }
        try add("factor", "factor")
        if let original { object.append(.init(key: "original_max_position_embeddings", value: original)) }
        try add("beta_fast", "yarn_beta_fast")
        try add("beta_slow", "yarn_beta_slow")
        return JSONObject(object)
    }

    private func factors(_ kind: String) throws -> JSONValue {
        .array(try floats("rope_factors_\(kind).weight").map { .number(Double($0)) })
    }

    private func floats(_ tensor: String) throws -> [Float] {
        guard let tensor = tensors.first(where: { $0.name == tensor }) else { return [] }
        return try tensor.floats()
    }

    /// The model as the file has it.
    package func spec() throws -> DecoderSpec {
        var spec = try DecoderSpec(configuration())
        spec.names = names(spec)
        for index in spec.kinds.indices {
            let layer = spec.pattern.firstIndex(of: index) ?? 0
            func has(_ part: String) -> Bool { self.has("blk.\(layer).\(part)") }
            spec.kinds[index].attention.hasInputBias = has("attn_q.bias") || has("attn_qkv.bias")
            spec.kinds[index].attention.hasOutputBias = has("attn_output.bias")
            spec.kinds[index].mlp.hasBias = has("ffn_up.bias")
        }
        if architecture.turnsNeighbours {
            for index in spec.rotaries.indices { spec.rotaries[index].turnsNeighbours = true }
        }
        if architecture.normsAreWhole { spec.changeEveryNorm { $0.weightOffset = 0 } }
        let factors = try floats("rope_freqs.weight")
        if let rotary = spec.rotaries.first, factors.count == rotary.turned / 2, factors.allSatisfy({ $0 > 0 }) {
            spec.rotaries[0].scaling = .factors(factors.map(Double.init))
        }
        return spec
    }

    /// The names of llama.cpp's converter for what a family has.
    private func names(_ spec: DecoderSpec) -> DecoderWeightNames {
        var names = DecoderWeightNames()
        names.bodies = [""]
        names.layers = "blk"
        names.heads = ["output"]
        names.rename(GGUFArchitecture.modules.merging(architecture.modules) { _, own in own })
        if has("blk.0.attn_qkv.weight") { names.fuse([.query, .key, .value], as: "attn_qkv") }
        if spec.kinds.contains(where: { $0.mlp.isGated && $0.mlp.isDense }), !has("blk.0.ffn_gate.weight"),
            has("blk.0.ffn_up.weight")
        {
            names.fuse([.gate, .up], as: "ffn_up")
        }
        names.stacked = [.expertGate, .expertUp, .expertDown]
        names.ignoredSuffixes = ["rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"]
        return names
    }
}

extension DecoderSpec {
    fileprivate mutating func changeEveryNorm(_ change: (inout NormSpec) -> Void) {
        func changed(_ norm: NormSpec?) -> NormSpec? {
            guard var norm else { return nil }
            change(&norm)
            return norm
        }
        finalNorm = changed(finalNorm)
        for index in kinds.indices {
            kinds[index].attentionNorm = changed(kinds[index].attentionNorm)
            kinds[index].attentionAfterNorm = changed(kinds[index].attentionAfterNorm)
            kinds[index].mlpNorm = changed(kinds[index].mlpNorm)
            kinds[index].mlpAfterNorm = changed(kinds[index].mlpAfterNorm)
            if var norm = kinds[index].attention.headNorm {
                change(&norm.norm)
                kinds[index].attention.headNorm = norm
            }
        }
    }
}
