import ApusJSON

/// Why a chat template cannot be read or rendered, in one sentence.
package struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The template is not in the language.
        case syntax
        /// The template asks for something of the language that is lacking here.
        case unsupported
        /// Rendering fails, as it does in jinja2; also what `raise_exception` says.
        case runtime
        /// Rendering takes more time, memory, output or depth than it is given.
        case limit
    }

    package let kind: Kind
    package let message: String
    /// The line of the template, counted from one.
    package internal(set) var line: Int?

    init(_ kind: Kind, _ message: String, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
    }

    package var description: String {
        let place = line.map { "chat template, line \($0): " } ?? "chat template: "
        return place + message.printable()
    }
}
