package import ApusCheckpoints
import ApusJSON

extension GGUFModel {
    /// What `config.json` of the same model would say.
    package func configuration() throws -> ConfigurationFile {
        let hasWindow = try (same("attention.sliding_window")?.integer ?? 0) > 0
        let family = hasWindow ? architecture.windowed ?? architecture.modelType : architecture.modelType
        var members: [JSONObject.Member] = [.init(key: "model_type", value: .string(family))]
        func add(_ key: String, _ value: JSONValue?) {
            if let value, !members.contains(where: { $0.key == key }) { members.append(.init(key: key, value: value)) }
        }
        func replace(_ key: String, _ value: Int) {
            members.removeAll { $0.key == key }
            add(key, .integer(value))
        }
        for key in architecture.required where try value(key) == nil {
            throw ModelError.unsupported("\(file.path): lacks \(name).\(key), which the model cannot do without")
        }
        for (key, theirs) in architecture.keys.merging(Self.keys, uniquingKeysWith: { own, _ in own }) {
            var value = try same(theirs)
            if architecture.integers.contains(key), let whole = value?.integer { value = .integer(whole) }
            // No window is written as one of nothing.
            add(key, key == "sliding_window" && value?.integer == 0 ? .null : value)
        }
        add("vocab_size", shape("token_embd.weight").flatMap { $0.count == 2 ? .integer($0[0]) : nil })
        add("use_qk_norm", .bool(shape(ofPart: "attn_q_norm.weight") != nil))
        add("tie_word_embeddings", .bool(!has("output.weight")))
        for (key, sign) in architecture.signs {
            add(key, shape(ofPart: sign.tensor) != nil ? sign.present : sign.absent)
        }
        let heads = try same("attention.head_count")?.integer ?? 0
        let width = try same("embedding_length")?.integer ?? 0
        // What the matrices say counts where nothing else does: head sizes of their own, fewer heads of keys.
        let rows = shape(ofPart: "attn_q.weight")?.first ?? width
        let headDim = try value("attention.key_length")?.integer ?? (heads > 0 ? rows / heads : 0)
        if headDim > 0 {
            if architecture.hasHeadSize { add("head_dim", .integer(headDim)) }
            if let turned = try value("rope.dimension_count")?.integer, turned != headDim {
                add(architecture.turnedShare, .number(Double(turned) / Double(headDim)))
            }
            if let layers = architecture.layersOfLargest, heads > 0 {
                // Scores are divided by the root of a head's size, but in the largest model.
                let isLargest = try same("block_count")?.integer == layers
                add("query_pre_attn_scalar", .integer(isLargest ? width / heads : headDim))
            }
            if let key = architecture.scoreScale { add(key, .number(1 / Double(headDim).squareRoot())) }
            if let keys = shape(ofPart: "attn_k.weight")?.first, keys % headDim == 0, keys > 0 {
                replace("num_key_value_heads", keys / headDim)
            }
        }
        if let inner = shape(ofPart: "ffn_down.weight")?.last { replace("intermediate_size", inner) }
        if let experts = shape(ofPart: "ffn_up_exps.weight"), experts.count == 3 {
            replace("moe_intermediate_size", experts[1])
        }
        if let shared = shape(ofPart: "ffn_up_shexp.weight")?.first {
            replace("shared_expert_intermediate_size", shared)
        }
        add("layer_types", try layerTypes())
        let scaling = try ropeScaling()
        if !scaling.isEmpty { add("rope_scaling", .object(JSONObject(scaling))) }
        for member in architecture.constants { add(member.key, member.value) }
        // Tables have no order, and what is written must be the same every time.
        members[1...].sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return ConfigurationFile(file: file.path, object: Self.nested(members))
    }

    /// Members whose keys have a dot are those of an object.
    private static func nested(_ members: [JSONObject.Member]) -> JSONObject {
        var (result, inner): (JSONObject, [String: JSONObject]) = ([:], [:])
        for member in members {
            let parts = member.key.split(separator: ".", maxSplits: 1).map(String.init)
            if parts.count == 2 {
                inner[parts[0], default: [:]].append(parts[1], member.value)
            } else {
                result.append(member.key, member.value)
            }
        }
        for (key, object) in inner.sorted(by: { $0.key < $1.key }) { result.append(key, .object(object)) }
        return result
    }

    /// A value that may be one for each layer, if it is the same for all that have something of it.
    private func same(_ key: String) throws -> JSONValue? {
        guard let value = try value(key) else { return nil }
        guard var list = value.array else { return value }
        if architecture.otherLayers != nil { list.removeAll { $0.integer == 0 } }
        guard let first = list.first, list.allSatisfy({ $0 == first }) else {
            throw ModelError.unsupported("\(file.path): \(name).\(key): another number for each layer is not read")
        }
        return first
    }

    /// Which layers have a window, or no attention, where the file says so for each.
    private func layerTypes() throws -> JSONValue? {
        func types(_ list: [JSONValue]?, _ isOther: (JSONValue) -> Bool, _ other: String) -> JSONValue? {
            list.map { .array($0.map { .string(isOther($0) ? other : "full_attention") }) }
        }
        if let other = architecture.otherLayers {
            return types(try value("attention.head_count_kv")?.array, { $0.integer == 0 }, other)
        }
        let pattern = try value("attention.sliding_window_pattern")?.array
        return types(pattern, { $0.bool ?? ($0.integer != 0) }, "sliding_attention")
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

    private func ropeScaling() throws -> [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        func add(_ key: String, _ value: JSONValue?) {
            if let value, !members.contains(where: { $0.key == key }) { members.append(.init(key: key, value: value)) }
        }
        if has("rope_factors_short.weight") {
            add("rope_type", "longrope")
            add("short_factor", try factors("short"))
            add("long_factor", try factors("long"))
            add("original_max_position_embeddings", try value("rope.scaling.original_context_length"))
            add("attention_factor", try value("rope.scaling.attn_factor"))
        } else if let type = try value("rope.scaling.type")?.string, type == "linear" || type == "yarn" {
            add("rope_type", .string(type))
            add("factor", try value("rope.scaling.factor"))
            add("original_max_position_embeddings", try value("rope.scaling.original_context_length"))
            add("beta_fast", try value("rope.scaling.yarn_beta_fast"))
            add("beta_slow", try value("rope.scaling.yarn_beta_slow"))
        }
        for member in architecture.rotary { add(member.key, member.value) }
        return members
    }

    private func factors(_ kind: String) throws -> JSONValue {
        .array(try floats("rope_factors_\(kind).weight").map { .number(Double($0)) })
    }
}
