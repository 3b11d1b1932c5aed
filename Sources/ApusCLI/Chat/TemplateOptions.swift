import ApusRuns
import ApusTokenizers
import ArgumentParser

struct TemplateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Chat template: the name of one that the checkpoint has, or a file; by default what the conversation wants.",
            valueName: "name|file"))
    var template: String?

    /// A file if there is one; else a name.
    func choice() throws -> ChatRequest.Template? {
        guard let template else { return nil }
        if let text = try FileContents.text(ifPresent: template) { return .text(text) }
        guard !template.contains("/"), !template.hasSuffix(".jinja") else {
            throw RunError("\(template): there is no such file")
        }
        return .named(template)
    }
}
