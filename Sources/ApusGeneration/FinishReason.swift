/// Why a text ended.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// An end token was chosen. It is the last of the token ids.
    case endToken = "stop"
    /// A stop string appeared. It is the end of the text.
    case stopString = "stop_string"
    /// The allowed number of tokens was reached.
    case length
    /// The caller ended it.
    case cancelled
}
