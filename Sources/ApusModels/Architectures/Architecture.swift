import ApusCheckpoints

/// A family of models: the `architectures` strings of its `config.json`, and how that file is read.
protocol Architecture: Sendable {
    static var names: [String] { get }

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec
}

enum ArchitectureRegistry {
    /// Every family; a new one is its file and a line here.
    static let all: [any Architecture.Type] = [Llama.self]

    /// Throws `ModelError` (`.unsupported`) naming what the checkpoint asks for and what there is.
    static func decoder(for config: ConfigurationFile) throws -> DecoderSpec {
        let wanted = try config.strings("architectures")
        if let family = all.first(where: { $0.names.contains(where: wanted.contains) }) {
            return try family.decoder(config)
        }
        let supported = all.flatMap { $0.names }.joined(separator: ", ")
        let asked = wanted.isEmpty ? "no architecture" : wanted.joined(separator: ", ")
        throw ModelError.unsupported("\(config.file): names \(asked); supported: \(supported)")
    }
}
