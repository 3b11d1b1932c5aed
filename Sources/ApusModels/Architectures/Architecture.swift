import ApusCheckpoints

/// A family of models: what its `config.json` calls it, and how that file is read.
protocol Architecture: Sendable {
    /// The `model_type` strings of the family.
    static var modelTypes: [String] { get }
    /// The `architectures` strings: classes with a head, base models, and how they were once spelled.
    static var names: [String] { get }

    /// Other names of keys, each with the one that is read: transformers' `attribute_map`.
    static var aliases: [String: String] { get }
    /// Whether `sliding_window` is a window of attention.
    static var hasWindow: Bool { get }

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec
}

extension Architecture {
    static var aliases: [String: String] { [:] }
    static var hasWindow: Bool { false }

    /// The model of a configuration that may use other names.
    static func read(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try decoder(config.renamed(aliases))
        // Elsewhere the cache makes something of it.
        if !hasWindow, config["layer_types"] == nil, spec.kinds.allSatisfy({ $0.attention.slopes == nil }) {
            spec.window = try config.optionalPositive("sliding_window", atMost: 1 << 40)
        }
        return spec
    }
}

enum ArchitectureRegistry {
    /// Every family; a new one is its file and a line here.
    static let all: [any Architecture.Type] = [
        Llama.self,
        Qwen2.self, Qwen3.self, Qwen2MoE.self, Qwen3MoE.self, Qwen35.self, Qwen35MoE.self,
        Mistral.self, Ministral.self, Ministral3.self, Mixtral.self,
        Gemma.self, Gemma2.self, Gemma3.self, Gemma4.self,
        GPT2.self, GPTJ.self, CodeGen.self, GPTOSS.self,
        Phi.self, Phi3.self,
        SmolLM3.self,
        Granite.self, GraniteMoE.self,
        OLMo.self, OLMo2.self, OLMo3.self, OLMoE.self,
        GPTNeoX.self,
        OPT.self,
        Cohere.self, Cohere2.self,
        GLM.self, GLM4.self, GLM4MoE.self,
        StableLM.self,
        StarCoder2.self,
        EXAONE.self, EXAONE4.self,
        Nemotron.self,
        InternLM2.self, InternLM3.self,
        ERNIE45.self, ERNIE45MoE.self,
        Dots1.self,
        Hunyuan.self,
        SeedOSS.self,
        LFM2.self, LFM2MoE.self,
        MiniCPM.self,
        Falcon.self,
        BLOOM.self,
        MPT.self,
    ]

    /// The family that `model_type` names, as in transformers; where there is none, the one that `architectures` names.
    /// Throws `ModelError` (`.unsupported`) naming what the checkpoint asks for and what there is.
    static func decoder(for config: ConfigurationFile) throws -> DecoderSpec {
        let type = try config.optionalString("model_type")?.lowercased() ?? ""
        let classes = try config.strings("architectures")
        let wrapper = Wrappers.all.first { type.isEmpty ? classes.contains($0.name) : type == $0.type }
        if let wrapper {
            guard let inner = try config.optionalObject("text_config") else {
                throw config.fault("text_config", expected: "the configuration of a decoder", got: "nothing")
            }
            let innerType = try inner.optionalString("model_type")?.lowercased() ?? wrapper.inner
            guard let family = family(innerType, []) else {
                throw ModelError.unsupported(
                    "\(config.file): text_config names model_type '\(innerType)'; \(supported)")
            }
            var spec = try family.read(inner)
            try spec.wrap(config, isTied: wrapper.isTied)
            return spec
        }
        if let family = family(type, classes) { return try family.read(config) }
        let asked = (type.isEmpty ? [] : ["model_type '\(type)'"]) + classes
        throw ModelError.unsupported(
            "\(config.file): names \(asked.isEmpty ? "no architecture" : asked.joined(separator: ", ")); \(supported)")
    }

    private static var supported: String {
        "supported: " + (all.compactMap { $0.names.first } + Wrappers.all.map(\.name)).joined(separator: ", ")
    }

    private static func family(_ type: String, _ classes: [String]) -> (any Architecture.Type)? {
        all.first { type.isEmpty ? $0.names.contains(where: classes.contains) : $0.modelTypes.contains(type) }
    }
}
