import ApusJSON
import ApusTemplates
import Synchronization

/// The chat templates of a checkpoint by their names; a single one is called "default".
final class ChatTemplates: Sendable {
    private let sources: [(name: String, text: String)]
    /// Those that were read, by their text.
    private let known = Mutex<[ExactString: Parsed]>([:])

    /// A template, and what finds the control tokens that messages may not write.
    struct Parsed: Sendable {
        let template: ChatTemplate
        let controls: AhoCorasick
    }

    init(_ sources: [(name: String, text: String)]) { self.sources = sources }

    var names: [String] { sources.map(\.name) }

    /// Looks where transformers does: chat_template.jinja and additional_chat_templates, else tokenizer_config.json, else
    /// chat_template.json. Throws `unreadable` or `malformed`.
    convenience init(
        _ files: TokenizerFiles, _ configuration: ComponentConfiguration?
    ) throws(TokenizerError) {
        var sources: [(name: String, text: String)] = []
        if let text = try files.text("chat_template.jinja") { sources.append(("default", text)) }
        let folder = "additional_chat_templates"
        for name in files.names(in: folder, endingIn: ".jinja") {
            guard let text = try files.text("\(folder)/\(name)") else { continue }
            sources.append((String(name.dropLast(".jinja".utf8.count)), text))
        }
        if sources.isEmpty, let configuration { sources = try Self.read(configuration) }
        if sources.isEmpty, let file = try files.object("chat_template.json") { sources = try Self.read(file) }
        self.init(sources)
    }

    private static func read(_ file: ComponentConfiguration) throws(TokenizerError) -> [(name: String, text: String)] {
        let key = "chat_template"
        guard let value = file.optional(key) else { return [] }
        if let text = value.string { return [("default", text)] }
        if let named = value.object {
            return named.members.compactMap { member in member.value.string.map { (member.key, $0) } }
        }
        var sources: [(name: String, text: String)] = []
        for entry in try file.components(key) {
            sources.append((try entry.string("name"), try entry.string("template")))
        }
        return sources
    }

    /// The template that is wanted, by default what a conversation with or without tools wants.
    ///
    /// - Parameter controls: what finds the control tokens of a template's text; asked once for each.
    /// - Throws: `invalidChat` if there is none, or one that cannot be read.
    func template(
        _ choice: ChatRequest.Template?, hasTools: Bool, controls: (String) -> AhoCorasick
    ) throws(TokenizerError) -> Parsed {
        let text =
            switch choice {
            case .text(let text): text
            case .named(let name): try source([name])
            case nil: try source(hasTools ? ["tool_use", "default"] : ["default"])
            }
        if let template = known.withLock({ $0[ExactString(text)] }) { return template }
        do {
            let parsed = Parsed(template: try ChatTemplate(text), controls: controls(text))
            known.withLock { $0[ExactString(text)] = parsed }
            return parsed
        } catch {
            throw .invalidChat("\(error)")
        }
    }

    /// The text of the first of some names that there is; of two with one name, the last counts, as in a Python dictionary.
    private func source(_ wanted: [String]) throws(TokenizerError) -> String {
        guard !sources.isEmpty else { throw .invalidChat("the checkpoint has no chat template") }
        guard let source = wanted.lazy.compactMap({ name in self.sources.last { $0.name == name } }).first else {
            let names = sources.map(\.name).sorted().joined(separator: ", ")
            throw .invalidChat("there is no chat template \((wanted.last ?? "").quoted), only: \(names)")
        }
        return source.text
    }
}
