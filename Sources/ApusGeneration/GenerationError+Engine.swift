extension GenerationError.Code {
    /// A prompt that the model cannot read.
    public static let invalidPrompt = GenerationError.Code(rawValue: "invalidPrompt")
    /// The system refused a thread or memory.
    public static let resources = GenerationError.Code(rawValue: "resources")
    /// The memory does not hold what was asked for.
    public static let outOfMemory = GenerationError.Code(rawValue: "outOfMemory")
}

extension GenerationError {
    static func invalidPrompt(_ message: String) -> GenerationError {
        GenerationError(code: .invalidPrompt, message: message)
    }
    static func outOfMemory(_ message: String) -> GenerationError {
        GenerationError(code: .outOfMemory, message: message)
    }
    /// Throws `invalidPrompt` for a token that a model does not know.
    static func checkTokens(_ tokens: [Int], vocabulary size: Int) throws(GenerationError) {
        if let token = tokens.first(where: { !(0..<size).contains($0) }) {
            throw .invalidPrompt("token \(token) is beyond the model's vocabulary of \(size)")
        }
    }

    static func resources(_ message: String) -> GenerationError { GenerationError(code: .resources, message: message) }
}
