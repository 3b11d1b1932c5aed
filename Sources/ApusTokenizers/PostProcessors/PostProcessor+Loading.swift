import ApusJSON

extension ComponentConfiguration {
    func postProcessor() throws(TokenizerError) -> PostProcessor {
        switch try type() {
        case "Sequence":
            // The first that puts something around texts joins two; those after it get one.
            var all = PostProcessor()
            for component in try components("processors") where try component.type() != "ByteLevel" {
                let next = try component.postProcessor()
                all = all.isPlain ? next : all.followed(by: next)
            }
            return all
        case "TemplateProcessing":
            let single = try pieces("single")
            return PostProcessor(
                single: single, pair: optional("pair") == nil ? PostProcessor().pair : try pieces("pair"))
        case "BertProcessing": return try ends(separators: 1, secondType: 1)
        case "RobertaProcessing": return try ends(separators: 2, secondType: 0)
        // It trims offsets, which Apus does not give.
        case "ByteLevel": return PostProcessor()
        default: throw try unsupportedType("post-processor")
        }
    }

    /// A start before, and ends between and behind texts.
    private func ends(separators: Int, secondType: Int) throws(TokenizerError) -> PostProcessor {
        func token(_ key: String) throws(TokenizerError) -> [Int] {
            let parts = try array(key)
            guard parts.count == 2, parts[0].string != nil, let integer = parts[1].integer,
                let id = UInt32(exactly: integer)
            else { throw .malformed("\(place).\(key) must be a token and its id") }
            return [Int(id)]
        }
        let (start, end) = (try token("cls"), try token("sep"))
        let between = [PostProcessor.Piece](repeating: .special(end, type: 0), count: separators)
        return PostProcessor(
            single: [.special(start, type: 0), .first(type: 0), .special(end, type: 0)],
            pair: [.special(start, type: 0), .first(type: 0)] + between
                + [.second(type: secondType), .special(end, type: secondType)])
    }

    private static let mostSpecialTokens = 1 << 16

    /// A template: its pieces.
    private func pieces(_ key: String) throws(TokenizerError) -> [PostProcessor.Piece] {
        var pieces: [PostProcessor.Piece] = []
        var texts: Set<String> = []
        var count = 0
        for piece in try components(key) {
            guard piece.optional("Sequence") == nil else {
                let sequence = try piece.component("Sequence")
                let (id, type) = (try sequence.string("id"), try sequence.tokenType())
                guard id == "A" || id == "B" && key == "pair" else {
                    throw .malformed("\(sequence.place) names a second text, which a single one has not")
                }
                // A text given back twice, template after template, would grow without bound.
                guard texts.insert(id).inserted else {
                    throw .unsupported("\(place).\(key) has a text more than once")
                }
                pieces.append(id == "A" ? .first(type: type) : .second(type: type))
                continue
            }
            let special = try piece.component("SpecialToken")
            let ids = try specialIDs(try special.string("id"))
            count += ids.count
            guard count <= Self.mostSpecialTokens else {
                throw .unsupported("\(place) adds more than \(Self.mostSpecialTokens) tokens")
            }
            pieces.append(.special(ids, type: try special.tokenType()))
        }
        return pieces
    }

    private func tokenType() throws(TokenizerError) -> Int {
        optional("type_id") == nil ? 0 : Int(try natural("type_id"))
    }

    private func specialIDs(_ id: String) throws(TokenizerError) -> [Int] {
        let special = try component("special_tokens").component(id)
        var ids: [Int] = []
        for value in try special.array("ids") {
            guard let integer = value.integer, let id = UInt32(exactly: integer) else {
                throw .malformed("\(special.place).ids must be integers from 0 to 4294967295")
            }
            ids.append(Int(id))
        }
        return ids
    }
}

extension PostProcessor {
    /// Whether it adds nothing and keeps the order.
    fileprivate var isPlain: Bool {
        guard single.count == 1, pair.count == 2, case .first(0) = single[0], case .first(0) = pair[0] else {
            return false
        }
        if case .second(1) = pair[1] { return true }
        return false
    }
}
