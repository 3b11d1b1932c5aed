import ApusJSON

/// What is wrong with a tokenizer's files or with a request to it, in one sentence that names the file and its part.
public struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A directory has no file of a tokenizer.
        public static let missing = Code(rawValue: "missing")
        /// A model's name on a hub is not in the cache of this machine.
        public static let notCached = Code(rawValue: "notCached")
        /// A file cannot be read.
        public static let unreadable = Code(rawValue: "unreadable")
        /// A file's content is not what its format asks for.
        public static let malformed = Code(rawValue: "malformed")
        /// A file asks for a component or option that Apus does not have.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A conversation cannot be brought into the form that the model wants.
        public static let invalidChat = Code(rawValue: "invalidChat")
        /// A request needs a padding token, and the tokenizer has none.
        public static let noPaddingToken = Code(rawValue: "noPaddingToken")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension TokenizerError {
    // Messages quote what stands in a file, which may be long or hold what a line of text cannot show.
    static func unreadable(_ message: String) -> TokenizerError {
        TokenizerError(code: .unreadable, message: message.printable())
    }
    static func missing(_ message: String) -> TokenizerError {
        TokenizerError(code: .missing, message: message.printable())
    }
    static func malformed(_ message: String) -> TokenizerError {
        TokenizerError(code: .malformed, message: message.printable())
    }
    package static func invalidChat(_ message: String) -> TokenizerError {
        TokenizerError(code: .invalidChat, message: message.printable())
    }
    static func unsupported(_ message: String) -> TokenizerError {
        TokenizerError(code: .unsupported, message: message.printable())
    }
}
