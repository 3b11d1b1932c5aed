extension GenerationError.Code {
    /// A prompt that the model cannot read.
    public static let invalidPrompt = GenerationError.Code(rawValue: "invalidPrompt")
    /// The system refused a thread or memory.
    public static let resources = GenerationError.Code(rawValue: "resources")
}

extension GenerationError {
    static func invalidPrompt(_ message: String) -> GenerationError {
        GenerationError(code: .invalidPrompt, message: message)
    }
    static func resources(_ message: String) -> GenerationError { GenerationError(code: .resources, message: message) }
}
