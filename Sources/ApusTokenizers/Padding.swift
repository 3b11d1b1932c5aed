/// How the sequences of a batch are made equally long.
public struct Padding: Sendable, Equatable {
    public enum Length: Sendable, Equatable {
        /// As long as the longest of the batch.
        case longest
        /// At least this many tokens.
        case fixed(Int)
    }

    public var length: Length
    /// The length is rounded up to a multiple of this.
    public var multiple: Int
    /// `nil` for the tokenizer's own side.
    public var side: Tokenizer.Side?
    /// `nil` for the tokenizer's own padding token.
    public var tokenID: Int?

    public init(_ length: Length = .longest, multiple: Int = 1, side: Tokenizer.Side? = nil, tokenID: Int? = nil) {
        self.length = length
        self.multiple = multiple
        self.side = side
        self.tokenID = tokenID
    }

    public static let longest = Padding()

    func target(longest: Int) -> Int {
        let wanted =
            switch length {
            case .longest: longest
            case .fixed(let count): count
            }
        let step = max(multiple, 1)
        let remainder = max(wanted, 0) % step
        return remainder == 0 ? wanted : wanted + (step - remainder)
    }
}
