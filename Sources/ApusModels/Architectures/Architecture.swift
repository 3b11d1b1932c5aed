import ApusCheckpoints

/// A family of models: what its `config.json` calls it, and how that file is read.
protocol Architecture: Sendable {
    /// The `model_type` strings of the family.
    static var modelTypes: [String] { get }
    /// The `architectures` strings: classes with a head, base models, and how they were once spelled.
    static var names: [String] { get }

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec
}

enum ArchitectureRegistry {
    /// Every family; a new one is its file and a line here.
    static let all: [any Architecture.Type] = [
        Llama.self, Qwen2.self, Qwen3.self, Mistral.self, Ministral.self, SmolLM3.self, SeedOSS.self,
        Granite.self,
    ]

    /// The family that `model_type` names, as in transformers; where there is none, the one that `architectures` names.
    /// Throws `ModelError` (`.unsupported`) naming what the checkpoint asks for and what there is.
    static func decoder(for config: ConfigurationFile) throws -> DecoderSpec {
        let type = try config.optionalString("model_type") ?? ""
        let classes = try config.strings("architectures")
        let family = all.first { family in
            type.isEmpty
                ? family.names.contains(where: classes.contains) : family.modelTypes.contains(type.lowercased())
        }
        if let family { return try family.decoder(config) }
        let asked = (type.isEmpty ? [] : ["model_type '\(type)'"]) + classes
        throw ModelError.unsupported(
            "\(config.file): names \(asked.isEmpty ? "no architecture" : asked.joined(separator: ", ")); supported: "
                + all.compactMap { $0.names.first }.joined(separator: ", "))
    }
}
