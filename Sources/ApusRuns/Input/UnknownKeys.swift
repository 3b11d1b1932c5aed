import ApusJSON

/// Members of an input's lines that nothing is known of.
struct UnknownKeys: Sendable, Equatable {
    let name: String
    private var keys: [String] = []

    /// Most that are named.
    private static let named = 10

    /// - Parameter name: what a person knows the input by.
    init(name: String) { self.name = name }

    /// What of the lines has no effect.
    var remark: String? {
        guard !keys.isEmpty else { return nil }
        return "\(name): not settings of a prompt, and without effect: \(keys.map(\.quoted).joined(separator: ", "))"
    }

    mutating func note(_ prompt: Prompt) {
        for key in prompt.unknownKeys where keys.count < Self.named && !keys.contains(key) { keys.append(key) }
    }
}
