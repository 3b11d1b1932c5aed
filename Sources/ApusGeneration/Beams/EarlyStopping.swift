/// When a beam search ends, as `early_stopping` of transformers says it.
public enum EarlyStopping: Sendable, Equatable {
    /// `true`: as soon as there are as many finished sequences as beams.
    case whenFull
    /// `false`: when the best beam, as it stands, is no better than the worst of them.
    case heuristic
    /// `"never"`: when the best beam cannot become better than the worst of them.
    case never
}

extension EarlyStopping: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = flag ? .whenFull : .heuristic
        } else if try container.decode(String.self) == "never" {
            self = .never
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "early_stopping must be true, false or \"never\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .whenFull: try container.encode(true)
        case .heuristic: try container.encode(false)
        case .never: try container.encode("never")
        }
    }
}
