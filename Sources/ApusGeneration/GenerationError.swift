/// Why text could not be generated, in one sentence.
public struct GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A setting that is out of its bounds or contradicts another.
        public static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        /// A prompt that leaves no room for a new token.
        public static let promptTooLong = Code(rawValue: "promptTooLong")
        /// Logits from which no token can be chosen.
        public static let invalidLogits = Code(rawValue: "invalidLogits")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension GenerationError {
    static func invalidConfiguration(_ message: String) -> GenerationError {
        GenerationError(code: .invalidConfiguration, message: message)
    }
    static func promptTooLong(_ message: String) -> GenerationError {
        GenerationError(code: .promptTooLong, message: message)
    }
    static func invalidLogits(_ message: String) -> GenerationError {
        GenerationError(code: .invalidLogits, message: message)
    }
}
