import ApusJSON
import FoundationEssentials

/// Mistral's tekken.json (https://github.com/mistralai/mistral-common): tokens of bytes by their ranks, behind special tokens
/// that no text contains.
struct TekkenFile {
    private let root: ComponentConfiguration
    private let config: ComponentConfiguration

    init(_ root: ComponentConfiguration) throws(TokenizerError) {
        self.root = root
        config = try root.component("config")
    }

    /// Of files that name none.
    private static let usualSpecialTokens = [
        "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
        "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
        "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
    ]

    func tokenizer(_ settings: TokenizerSettings) throws(TokenizerError) -> Tokenizer {
        let special = try specialTokens()
        let ranked = try RankedBytes(try tokens(behind: special.count), at: "\(root.place).vocab")
        var settings = settings
        settings.splitsSpecialTokens = true
        settings.controls = special
        for (name, text) in [
            ("bos_token", "<s>"), ("eos_token", "</s>"), ("pad_token", "<pad>"), ("unk_token", "<unk>"),
        ] where settings.declared.standard[name] == nil && special.contains(where: { $0.token.content == text }) {
            settings.ownNames[name] = text
        }
        if settings.ends == nil { settings.ends = TextEnds(hasBOS: true) }
        return try ranked.tokenizer(
            pattern: try config.string("pattern"), at: config.place, offset: UInt32(clamping: special.count),
            placed: special, settings)
    }

    /// Those of the file, and fillers for the rest of their places.
    private func specialTokens() throws(TokenizerError) -> [NumberedToken] {
        let count = Int(try config.natural("default_num_special_tokens"))
        var names: [Int: String] = [:]
        if root.optional("special_tokens") != nil {
            for entry in try root.components("special_tokens") {
                let rank = Int(try entry.natural("rank"))
                guard names.updateValue(try entry.string("token_str"), forKey: rank) == nil else {
                    throw .malformed("\(entry.place).rank: another special token has the rank \(rank)")
                }
            }
        } else {
            for (rank, name) in Self.usualSpecialTokens.enumerated() { names[rank] = name }
        }
        guard names.count <= count, count <= 1 << 16 else {
            throw .malformed("\(config.place).default_num_special_tokens: \(count), but there are \(names.count)")
        }
        let own = names.count
        for rank in own..<max(count, own) where names[rank] == nil { names[rank] = "<SPECIAL_\(rank)>" }
        var tokens: [NumberedToken] = []
        for rank in 0..<count {
            guard let name = names[rank] else {
                throw .malformed("\(root.place).special_tokens has none of rank \(rank)")
            }
            tokens.append(NumberedToken(number: rank, token: AddedToken(name, isSpecial: true)))
        }
        guard Set(tokens.map { ExactString($0.token.content) }).count == count else {
            throw .malformed("\(root.place).special_tokens: two are written alike")
        }
        return tokens
    }

    private func tokens(behind special: Int) throws(TokenizerError) -> [[UInt8]] {
        let entries = try root.array("vocab")
        let count = Int(try config.natural("default_vocab_size")) - special
        guard count >= 0, count <= entries.count else {
            throw .malformed(
                "\(config.place).default_vocab_size: \(count + special), but there are \(entries.count) tokens and \(special) special ones"
            )
        }
        var tokens: [[UInt8]] = []
        tokens.reserveCapacity(count)
        var known: Set<[UInt8]> = []
        for (index, entry) in entries.prefix(count).enumerated() {
            guard entry["rank"]?.integer == index, let text = entry["token_bytes"]?.string,
                let token = Data(base64Encoded: text), !token.isEmpty
            else {
                throw .malformed("\(root.place).vocab[\(index)] must have the rank \(index) and token_bytes in base64")
            }
            guard known.insert([UInt8](token)).inserted else {
                throw .malformed("\(root.place).vocab[\(index)] is a token that another is")
            }
            tokens.append([UInt8](token))
        }
        return tokens
    }
}
