import ApusJSON

/// The added tokens of a tokenizer, and where they stand in a text.
struct AddedVocabulary: Sendable {
    private(set) var ids: [ExactString: UInt32] = [:]
    private(set) var tokens: [UInt32: AddedToken] = [:]
    /// How the tokens are written among the model's own: normalized, where they are looked for so.
    private var forms: [UInt32: [UInt8]] = [:]
    private var specialContents: Set<ExactString> = []
    private var raw = AhoCorasick([])
    private var normalized = AhoCorasick([])
    private let splitsSpecialTokens: Bool

    /// Adds batch after batch. Gives every token its id: that of the model's vocabulary, or the next that is free, and
    /// to one that is there already its new properties.
    ///
    /// - Parameters:
    ///   - placed: tokens whose numbers are their ids, whatever the vocabulary has.
    ///   - splitsSpecialTokens: whether special tokens are passed over in a text.
    init(
        placed: [NumberedToken] = [], _ batches: [[AddedToken]], model: Vocabulary, normalizer: (any Normalizer)?,
        splitsSpecialTokens: Bool = false
    ) {
        self.splitsSpecialTokens = splitsSpecialTokens
        for entry in placed {
            let content = ExactString(entry.token.content)
            guard let id = UInt32(exactly: entry.number), !entry.token.content.isEmpty else { continue }
            (ids[content], tokens[id]) = (id, entry.token)
            if entry.token.isSpecial { specialContents.insert(content) }
        }
        for batch in batches { add(batch, model: model, normalizer: normalizer) }
        func patterns(normalized: Bool) -> [(bytes: [UInt8], value: UInt32)] {
            tokens.filter { $0.value.isNormalized == normalized }.sorted { $0.key < $1.key }
                .map { (normalized ? form(of: $0.key, $0.value) : Array($0.value.content.utf8), $0.key) }
        }
        raw = AhoCorasick(patterns(normalized: false))
        normalized = AhoCorasick(patterns(normalized: true))
    }

    private mutating func add(_ batch: [AddedToken], model: Vocabulary, normalizer: (any Normalizer)?) {
        var next = nextID(model)
        for token in batch where !token.content.isEmpty {
            let content = ExactString(token.content)
            if let id = ids[content], tokens[id] == token { continue }
            let known = id(of: token.content, model: model)
            let id = known ?? next
            if known == nil { next = next == .max ? next : next + 1 }
            if token.isNormalized, let normalizer {
                let form = normalizer.normalize(Array(token.content.utf8))
                if !form.elementsEqual(token.content.utf8) { forms[id] = form }
            }
            ids[content] = id
            tokens[id] = token
            if token.isSpecial { specialContents.insert(content) }
        }
    }

    /// The id after the model's own and after all that were added before.
    private func nextID(_ model: Vocabulary) -> UInt32 {
        let own = UInt32(clamping: model.count)
        guard let highest = tokens.keys.max(), highest >= own || own == 0 else { return own }
        return highest == .max ? highest : highest + 1
    }

    /// The id of a token, added or the model's own.
    func id(of token: String, model: Vocabulary) -> UInt32? {
        ids[ExactString(token)] ?? model.id(for: Array(token.utf8))
    }

    private func form(of id: UInt32, _ token: AddedToken) -> [UInt8] { forms[id] ?? Array(token.content.utf8) }

    /// How an added token is written where it is decoded.
    func form(of id: UInt32) -> [UInt8]? { tokens[id].map { form(of: id, $0) } }

    /// The ids of all tokens that are written as a special token.
    func specialIDs(model: Vocabulary) -> Set<UInt32> {
        var special = Set(
            tokens.filter { specialContents.contains(ExactString(String(decoding: form(of: $0, $1), as: UTF8.self))) }
                .keys)
        for content in specialContents {
            if let id = model.id(for: Array(content.string.utf8)), tokens[id] == nil { special.insert(id) }
        }
        return special
    }

    enum Segment {
        case text(Range<Int>)
        case token(UInt32)
    }

    /// A text cut into added tokens and what lies between them.
    func segments(of text: UTF8Text, isNormalized: Bool) -> [Segment] {
        let matcher = isNormalized ? normalized : raw
        var segments: [Segment] = []
        var end = 0
        matcher.forEachMatch(in: text) { match, id in
            guard let token = tokens[id], !token.isSingleWord || isSingleWord(match, in: text) else { return }
            if splitsSpecialTokens, specialContents.contains(ExactString(token.content)) { return }
            var start = match.lowerBound
            var stop = match.upperBound
            if token.stripsLeft { start = max(startOfSpaces(before: start, in: text), end) }
            if token.stripsRight {
                stop = text.end(ofRunFrom: stop, upTo: text.count) {
                    ScalarClasses.rust.contains(ScalarClasses.rustSpace, $0)
                }
            }
            if end < start { segments.append(.text(end..<start)) }
            // White space that a token swallowed can hold another whose own is all taken: that one is gone.
            if start < stop { segments.append(.token(id)) }
            end = stop
        }
        if end < text.count { segments.append(.text(end..<text.count)) }
        return segments
    }

    private func isSingleWord(_ match: Range<Int>, in text: UTF8Text) -> Bool {
        func isWord(at position: Int) -> Bool {
            ScalarClasses.rust.contains(ScalarClasses.rustWord, text.scalar(at: position).value)
        }
        let joinsLeft = match.lowerBound > 0 && isWord(at: text.startOfScalar(endingAt: match.lowerBound))
        let joinsRight = match.upperBound < text.count && isWord(at: match.upperBound)
        return !joinsLeft && !joinsRight
    }

    private func startOfSpaces(before end: Int, in text: UTF8Text) -> Int {
        var start = end
        while start > 0 {
            let last = text.startOfScalar(endingAt: start)
            guard ScalarClasses.rust.contains(ScalarClasses.rustSpace, text.scalar(at: last).value) else { break }
            start = last
        }
        return start
    }
}
