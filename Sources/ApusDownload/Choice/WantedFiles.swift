package import ApusHub
import ApusJSON

/// Of a repository's files, those that Apus reads.
package struct WantedFiles: Equatable {
    /// In the order in which they are fetched: the small ones first.
    package private(set) var files: [String]
    /// Whether the last of them names the files of weights, which come after it.
    package private(set) var endsWithIndex = false

    /// What the readers of configurations, tokenizers and chat templates look for.
    private static let small: Set<String> = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.json", "merges.txt", "vocab.txt",
        "chat_template.jinja", "chat_template.json", "quantize_config.json",
    ]

    /// - Parameter include: patterns that take the place of the choice, where there are some.
    /// - Throws: `HubError` where there is nothing to be read, or too much to choose from.
    package init(_ names: [String], of name: HubName, include: [String]) throws(HubError) {
        guard include.isEmpty else {
            let globs = include.map { Glob($0) }
            files = names.filter { file in globs.contains { $0.matches(file) } }
            guard files.isEmpty else { return }
            throw HubError(
                code: .notFound,
                message: "\(name): holds no file that matches \(include.map(\.quoted).joined(separator: " or "))")
        }
        let models = GGUFFiles(names)
        let top = names.filter { !$0.contains("/") }
        let hasTensors = top.contains { $0.hasSuffix(".safetensors") } || top.contains(SnapshotFiles.index)
        if name.choice != .standard || (!hasTensors && !models.models.isEmpty) {
            guard let model = try models.picked(name.choice, of: name.repository) else {
                let others = models.models.map(\.name).joined(separator: ", ")
                throw HubError(
                    code: .notFound,
                    message: "\(name): holds no such GGUF file" + (others.isEmpty ? "" : ", only \(others)"))
            }
            guard model.isComplete else {
                throw HubError(
                    code: .notFound,
                    message: "\(name): holds only \(model.parts.count) of the \(model.count) parts of \(model.name)")
            }
            files = model.parts
            return
        }
        files = names.filter(Self.isSmall)
        let tensors = top.filter { $0.hasSuffix(".safetensors") }
        if tensors.contains(SnapshotFiles.weights) {
            files.append(SnapshotFiles.weights)
        } else if top.contains(SnapshotFiles.index) {
            files.append(SnapshotFiles.index)
            endsWithIndex = true
        } else {
            // Mistral's own layout and adapters may lie beside a model; alone, they are what there is.
            let others = tensors.filter { name in !["consolidated", "adapter_"].contains(where: name.hasPrefix) }
            files += others.isEmpty ? tensors : others
            guard tensors.isEmpty else { return }
            if let pickle = top.first(where: { name in [".bin", ".pt", ".pth", ".ckpt"].contains(where: name.hasSuffix)
            }) {
                throw HubError(
                    code: .notFound,
                    message: "\(name): holds \(pickle), a Python pickle, which Apus does not read, and no safetensors; "
                        + "--include \(pickle) fetches it all the same")
            }
        }
        guard !files.isEmpty else {
            throw HubError(code: .notFound, message: "\(name): holds nothing that Apus reads")
        }
    }

    private static func isSmall(_ name: String) -> Bool {
        if small.contains(name) || (name.hasSuffix(".tiktoken") && !name.contains("/")) { return true }
        let parts = name.split(separator: "/")
        return parts.count == 2 && parts[0] == "additional_chat_templates" && name.hasSuffix(".jinja")
    }
}
