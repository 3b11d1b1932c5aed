/// A piece of a template.
struct Token {
    enum Kind: Equatable {
        case data([UInt32])
        case statementBegin, statementEnd
        case outputBegin, outputEnd
        case name(String)
        case string([UInt32])
        case integer(Int)
        case float(Double)
        /// An operator or bracket, as it is written.
        case symbol(String)
        case end
    }

    var kind: Kind
    var line: Int
}

extension Token {
    /// What the token is, for error messages.
    var label: String {
        switch kind {
        case .data: "text"
        case .statementBegin: "'{%'"
        case .statementEnd: "'%}'"
        case .outputBegin: "'{{'"
        case .outputEnd: "'}}'"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer, .float: "a number"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "the end of the template"
        }
    }
}
