/// What a model wants around an encoded text, or around two: the pieces in their order, each with the type of its tokens.
struct PostProcessor: Sendable {
    enum Piece: Sendable {
        case first(type: Int)
        case second(type: Int)
        case special([Int], type: Int)
    }

    private(set) var single: [Piece] = [.first(type: 0)]
    private(set) var pair: [Piece] = [.first(type: 0), .second(type: 1)]

    /// Nothing around a text.
    init() {}

    init(single: [Piece], pair: [Piece]) {
        self.single = single
        self.pair = pair
    }

    /// One token before each text and one after it, where they are given.
    init(before: Int?, after: Int?) {
        func pieces(_ text: Piece, type: Int) -> [Piece] {
            [before.map { .special([$0], type: type) }, text, after.map { .special([$0], type: type) }].compactMap {
                $0
            }
        }
        single = pieces(.first(type: 0), type: 0)
        pair = single + pieces(.second(type: 1), type: 1)
    }

    /// How many special tokens are added to one text.
    var addedCount: Int {
        single.reduce(0) { count, piece in
            if case .special(let ids, _) = piece { count + ids.count } else { count }
        }
    }

    /// What another makes of what this one gives: one text, to it.
    func followed(by next: PostProcessor) -> PostProcessor {
        func around(_ pieces: [Piece]) -> [Piece] {
            next.single.flatMap { piece in
                if case .first(let type) = piece { pieces.map { $0.typed(type) } } else { [piece] }
            }
        }
        return PostProcessor(single: around(single), pair: around(pair))
    }

    /// The tokens of a text with what belongs around them.
    func process(_ ids: [Int], addSpecialTokens: Bool) -> [Int] {
        assemble(single, ids, [], addSpecialTokens: addSpecialTokens) { tokens, _ in tokens }
    }

    /// The tokens of two texts with what belongs around them, and their types.
    func process(_ first: [Int], _ second: [Int], addSpecialTokens: Bool) -> PairEncoding {
        PairEncoding(
            inputIDs: assemble(pair, first, second, addSpecialTokens: addSpecialTokens) { tokens, _ in tokens },
            tokenTypeIDs: assemble(pair, first, second, addSpecialTokens: addSpecialTokens) { tokens, type in
                [Int](repeating: type, count: tokens.count)
            })
    }

    private func assemble(
        _ pieces: [Piece], _ first: [Int], _ second: [Int], addSpecialTokens: Bool,
        _ numbers: (_ tokens: [Int], _ type: Int) -> [Int]
    ) -> [Int] {
        var all: [Int] = []
        all.reserveCapacity(first.count + second.count + 8)
        for piece in pieces {
            switch piece {
            case .first(let type): all += numbers(first, type)
            case .second(let type): all += numbers(second, type)
            case .special(let special, let type): if addSpecialTokens { all += numbers(special, type) }
            }
        }
        return all
    }
}

extension PostProcessor.Piece {
    fileprivate func typed(_ type: Int) -> Self {
        switch self {
        case .first: .first(type: type)
        case .second: .second(type: type)
        case .special(let ids, _): .special(ids, type: type)
        }
    }
}
