/// What a person types in a conversation.
enum ChatLine: Equatable {
    case message(String)
    case clear
    case system(String)
    case save(String)
    case exit
    case unknown(String)

    init(_ line: String) {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard let word = parts.first, word.hasPrefix("/") else {
            self = .message(line)
            return
        }
        let rest = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        switch word {
        case "/clear": self = .clear
        case "/system": self = .system(rest)
        case "/save" where !rest.isEmpty: self = .save(rest)
        case "/exit": self = .exit
        default: self = .unknown(String(word))
        }
    }
}
