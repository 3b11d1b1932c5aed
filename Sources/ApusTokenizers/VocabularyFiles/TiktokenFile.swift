import FoundationEssentials

/// A vocabulary of tiktoken: lines of a token's bytes in base64 and its rank.
struct TiktokenFile {
    /// Llama 3's pattern, which transformers takes for all: files do not say theirs.
    private static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private let tokens: [[UInt8]]
    private let place: String

    init(_ bytes: [UInt8], at place: String) throws(TokenizerError) {
        self.place = place
        var byRank: [Int: [UInt8]] = [:]
        var known: Set<[UInt8]> = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard !line.allSatisfy({ $0 == 0x0D || $0 == 0x20 }) else { continue }
            guard let (token, rank) = Self.entry(line) else {
                throw .malformed("\(place): line \(index + 1) must be base64, a space and a rank")
            }
            guard byRank.updateValue(token, forKey: rank) == nil, known.insert(token).inserted else {
                throw .malformed("\(place): line \(index + 1) has a token or a rank that another line has")
            }
        }
        var tokens: [[UInt8]] = []
        for rank in 0..<byRank.count {
            guard let token = byRank[rank] else { throw .malformed("\(place) has no token of rank \(rank)") }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// Whether a file is one by its first line; a SentencePiece model begins with a message's tag.
    static func matches(_ bytes: [UInt8]) -> Bool {
        guard let line = bytes.split(separator: 0x0A, maxSplits: 1).first else { return false }
        return line.count < 4096 && entry(line) != nil
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> (token: [UInt8], rank: Int)? {
        let line = line.last == 0x0D ? line.dropLast() : line
        let parts = line.split(separator: 0x20)
        guard parts.count == 2, let rank = Int(String(decoding: parts[1], as: UTF8.self)), rank >= 0,
            // An empty token is written so (in Whisper's files).
            let token = parts[0].elementsEqual("=".utf8) ? Data() : Data(base64Encoded: Data(parts[0]))
        else { return nil }
        return ([UInt8](token), rank)
    }

    /// The special tokens are those that tokenizer_config.json numbers; ids between them are reserved.
    func tokenizer(_ settings: TokenizerSettings) throws(TokenizerError) -> Tokenizer {
        let ranked = try RankedBytes(tokens, at: place)
        var declared: [Int: AddedToken] = [:]
        for entry in settings.declared.numbered { declared[entry.number] = entry.token }
        let last = declared.keys.max() ?? 0
        guard last < tokens.count + Self.mostReserved else {
            throw .malformed("\(place): an added token has the id \(last), far beyond the \(tokens.count) of the file")
        }
        var placed: [NumberedToken] = []
        for id in tokens.count..<max(last + 1, tokens.count) {
            let token = declared[id] ?? AddedToken("<|reserved_token_\(id)|>", isSpecial: true)
            placed.append(NumberedToken(number: id, token: token))
        }
        return try ranked.tokenizer(pattern: Self.pattern, at: place, offset: 0, placed: placed, settings)
    }

    /// More ids than any model has behind its vocabulary.
    private static let mostReserved = 1 << 16
}
