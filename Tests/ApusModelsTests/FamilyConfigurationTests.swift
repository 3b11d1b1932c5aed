import ApusCheckpoints
import ApusJSON
import ApusModels
import Testing

/// What stands in a config.json, or does not.
@Suite struct FamilyConfigurationTests {
    private static func spec(_ object: JSONObject) throws -> DecoderSpec {
        try DecoderSpec(ConfigurationFile(file: "config.json", object: object))
    }

    private static func spec(_ type: String, _ members: JSONObject) throws -> DecoderSpec {
        try spec(JSONObject([.init(key: "model_type", value: .string(type))] + members.members))
    }

    /// Keys that transformers knows by two names.
    @Test(arguments: [
        ("bloom", "num_attention_heads", "n_head", 4), ("bloom", "num_hidden_layers", "n_layer", 3),
        ("gpt2", "num_attention_heads", "n_head", 6), ("gpt2", "hidden_size", "n_embd", 384),
        ("gptj", "num_hidden_layers", "n_layer", 3), ("codegen", "max_position_embeddings", "n_positions", 99),
        ("mpt", "num_attention_heads", "n_heads", 4), ("mpt", "hidden_size", "d_model", 64),
        ("ernie4_5_moe", "num_experts_per_tok", "moe_k", 3), ("ernie4_5_moe", "num_experts", "moe_num_experts", 30),
        ("gpt_oss", "num_experts", "num_local_experts", 16), ("mixtral", "num_experts", "num_local_experts", 6),
        ("qwen3_moe", "num_experts", "num_local_experts", 16), ("olmoe", "num_local_experts", "num_experts", 16),
        ("dots1", "num_local_experts", "n_routed_experts", 32), ("exaone", "num_layers", "num_hidden_layers", 7),
    ])
    func otherNamesOfKeysCount(_ type: String, _ alias: String, _ key: String, _ value: Int) throws {
        func members(_ key: String) -> JSONObject { JSONObject([.init(key: key, value: .integer(value))]) }
        let read = try Self.spec(type, members(key))
        #expect(try Self.spec(type, members(alias)) == read)
        #expect(try Self.spec(type, [:]) != read)
    }

    @Test(arguments: [
        ("gpt_neox", "rotary_pct", JSONValue.number(1e300)), ("gpt_neox", "rotary_pct", 3),
        ("lfm2", "block_ffn_dim_multiplier", .number(1e300)), ("lfm2", "block_ffn_dim_multiplier", -1),
        ("ernie4_5_moe", "moe_num_shared_experts", .integer(1 << 62)), ("dots1", "n_shared_experts", .integer(1 << 62)),
        ("dots1", "n_shared_experts", .integer(1 << 20)), ("gemma4_text", "num_kv_shared_layers", .integer(.min)),
        ("gemma4_text", "hidden_size_per_layer_input", .integer(.max)), ("qwen3_moe", "num_experts", .integer(1 << 16)),
        ("gemma3_text", "layer_types", .array([JSONValue](repeating: "mamba", count: 26))),
        ("llama", "rms_norm_eps", -1), ("gemma3", "text_config", .null),
        ("gemma3", "text_config", .object(["model_type": "mamba"])),
    ])
    func whatNoModelHasIsRefusedByName(_ type: String, _ key: String, _ value: JSONValue) throws {
        let error = #expect(throws: (any Error).self) {
            try Self.spec(type, JSONObject([.init(key: key, value: value)]))
        }
        let name = ["num_experts": "num_local_experts"][key] ?? key
        #expect("\(try #require(error))".contains(name))
    }

    /// The cache of transformers makes something of a window that attention does not know.
    @Test func aWindowOfAFamilyThatHasNone() throws {
        #expect(try Self.spec("granite", ["sliding_window": 20]).window == 20)
        #expect(try Self.spec("mistral", ["sliding_window": 20]).window == nil)
        #expect(try Self.spec("qwen2", ["sliding_window": 20]).kinds.allSatisfy { $0.attention.window == nil })
        #expect(try Self.spec("bloom", ["sliding_window": 20]).window == nil)
    }

    @Test func absentKeysHaveTheDefaultsOfTheirClass() throws {
        for type in ["gpt_oss", "ministral3"] {
            let spec = try Self.spec(type, [:])
            #expect(spec.rotaries[0].isScaled)
            #expect(try Self.spec(type, ["rope_parameters": .null]) == spec)
        }
        #expect(
            try Self.spec("nemotron", ["hidden_size": 480, "num_attention_heads": 10]).kinds[0].attention.headDim == 48)
        #expect(try Self.spec("cohere2", ["head_dim": 64]).kinds[0].attention.headDim == 64)
        #expect(try Self.spec("mistral3", ["text_config": ["tie_word_embeddings": false]]).tiedEmbeddings)
        #expect(try !Self.spec("qwen3_5", ["text_config": ["tie_word_embeddings": true]]).tiedEmbeddings)
        let slides = try Self.spec(
            "qwen2_moe",
            ["use_sliding_window": true, "sliding_window": 20, "num_hidden_layers": 4, "max_window_layers": 3])
        #expect((0..<4).map { slides.kind(ofLayer: $0).attention.window } == [20, nil, 20, nil])
    }
}
