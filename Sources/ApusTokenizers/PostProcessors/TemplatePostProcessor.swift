import ApusJSON

/// Fills a template: special tokens around the text (`single`); templates for pairs of texts are not read.
struct TemplatePostProcessor: PostProcessor {
    private enum Piece {
        case text
        case special([Int])

        var isText: Bool {
            if case .text = self { true } else { false }
        }
    }

    private static let maximumCount = 1 << 16

    private let pieces: [Piece]

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        var pieces: [Piece] = []
        var count = 0
        for piece in try configuration.components("single") {
            if piece.optional("Sequence") != nil {
                let sequence = try piece.component("Sequence")
                guard try sequence.string("id") == "A" else {
                    throw .malformed("\(sequence.place) names a second text, which a single one has not")
                }
                // A text given back twice, template after template, would grow without bound.
                if pieces.contains(where: \.isText) {
                    throw .unsupported("\(configuration.place).single has the text more than once")
                }
                pieces.append(.text)
            } else {
                let ids = try Self.specialIDs(try piece.component("SpecialToken").string("id"), configuration)
                count += ids.count
                guard count <= Self.maximumCount else {
                    throw .unsupported("\(configuration.place) adds more than \(Self.maximumCount) tokens")
                }
                pieces.append(.special(ids))
            }
        }
        self.pieces = pieces
    }

    /// One token before the text and one after it, where they are given.
    init(before: Int?, after: Int?) {
        pieces = [before.map { .special([$0]) }, .text, after.map { .special([$0]) }].compactMap { $0 }
    }

    private static func specialIDs(_ id: String, _ configuration: ComponentConfiguration) throws(TokenizerError)
        -> [Int]
    {
        let special = try configuration.component("special_tokens").component(id)
        var ids: [Int] = []
        for value in try special.array("ids") {
            guard let integer = value.integer, let id = UInt32(exactly: integer) else {
                throw .malformed("\(special.place).ids must be integers from 0 to 4294967295")
            }
            ids.append(Int(id))
        }
        return ids
    }

    var addedCount: Int {
        pieces.reduce(0) { count, piece in
            if case .special(let ids) = piece { count + ids.count } else { count }
        }
    }

    func process(_ ids: [Int], addSpecialTokens: Bool) -> [Int] {
        var processed: [Int] = []
        processed.reserveCapacity(ids.count + addedCount)
        for piece in pieces {
            switch piece {
            case .text: processed += ids
            case .special(let special): if addSpecialTokens { processed += special }
            }
        }
        return processed
    }
}
