package import ApusJSON

/// A chat template: jinja2's language as transformers sets it up, blocks trimmed, in an immutable sandbox.
package struct ChatTemplate: Sendable {
    private let program: Program

    /// Reads a template; what is wrong with it, or lacking here, is an error with its line.
    package init(_ source: String) throws(TemplateError) {
        program = try DeepStack.run { () throws(TemplateError) in
            var parser = try Parser(source)
            return try parser.parseProgram()
        }
    }

    /// The text of a chat.
    package func render(_ variables: JSONObject, limits: Limits = .init()) throws(TemplateError) -> String {
        try renderMarked(variables, limits: limits).text
    }

    /// The text of a chat, and which parts of it came from strings inside the named variables.
    package func renderMarked(
        _ variables: JSONObject, marking names: Set<String> = ["messages", "tools", "documents"],
        limits: Limits = .init()
    ) throws(TemplateError) -> MarkedText {
        let program = program
        return try DeepStack.run { () throws(TemplateError) in
            let renderer = Renderer(program, variables, marking: names, limits: limits)
            defer { renderer.release() }
            return try renderer.render()
        }
    }
}
