import ApusJSON

/// The tokens that the files beside a vocabulary declare.
///
/// Read and added as by `PreTrainedTokenizerFast.from_pretrained` of transformers 5
/// (https://github.com/huggingface/transformers, tokenization_utils_base.py and tokenization_utils_tokenizers.py).
struct DeclaredTokens: Sendable {
    /// The names that every tokenizer knows, in the order in which their tokens are added.
    static let standardNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Standard names that a file has, be it with null.
    var standard: [String: TokenDeclaration?] = [:]
    /// Names of a model's own, such as `image_token`. Where one of them is a standard name, it goes before it.
    var specific = NamedTokens()
    /// `extra_special_tokens`, once called `additional_special_tokens`.
    var extra: [TokenDeclaration] = []
    /// Of `added_tokens_decoder` or of added_tokens.json.
    var numbered: [NumberedToken] = []
    /// Whether a tokenizer.json's own tokens belong to the numbered ones: unless there is an `added_tokens_decoder`.
    var takesOwn = true

    /// The text of a named token.
    func content(of name: String) -> String? {
        (specific[name] ?? (standard[name] ?? nil))?.token.content
    }

    /// What is added to a tokenizer beside its own tokens, in order. Of tokens with one text, the last counts.
    func additions(to own: [NumberedToken]) -> [AddedToken] {
        var byNumber: [Int: AddedToken] = [:]
        var byContent: [ExactString: AddedToken] = [:]
        for entry in takesOwn ? numbered + own : numbered {
            byNumber[entry.number] = entry.token
            byContent[ExactString(entry.token.content)] = entry.token
        }
        var additions = byNumber.sorted { $0.key < $1.key }.map(\.value)
        let known = Set((own.map(\.token) + additions).map { ExactString($0.content) })
        let named = named(byContent).tokens.map(\.declaration)
        // Named and extra tokens are added where no other is written so; twice where two of them differ in more.
        var news: [ExactString: [TokenDeclaration]] = [:]
        for declaration in named + extra where !known.contains(declaration.content) {
            guard !news[declaration.content, default: []].contains(declaration) else { continue }
            news[declaration.content, default: []].append(declaration)
            additions.append(declaration.token)
        }
        // What has a name is special. An extra token that is known already stays what it is.
        let special = Set(named.map(\.content))
        for place in additions.indices where special.contains(ExactString(additions[place].content)) {
            additions[place].isSpecial = true
        }
        return additions
    }

    /// All named tokens; those of standard names with the properties that a list of tokens has for their text.
    private func named(_ listed: [ExactString: AddedToken]) -> NamedTokens {
        var named = NamedTokens()
        for name in Self.standardNames {
            if let declaration = specific[name] {
                named.set(name, declaration)
            } else if let declaration = standard[name] ?? nil {
                named.set(name, listed[declaration.content].map { TokenDeclaration($0) } ?? declaration)
            }
        }
        named.merge(specific)
        return named
    }
}
