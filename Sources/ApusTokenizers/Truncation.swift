/// How sequences that are too long are cut.
public struct Truncation: Sendable, Equatable {
    /// The most tokens that remain, special ones included.
    public var length: Int
    /// The end that is cut off.
    public var side: Tokenizer.Side

    public init(to length: Int, side: Tokenizer.Side = .right) {
        self.length = length
        self.side = side
    }

    func cut(_ ids: [Int], to count: Int) -> [Int] {
        let count = max(count, 0)
        guard ids.count > count else { return ids }
        return Array(side == .right ? ids.prefix(count) : ids.suffix(count))
    }
}
