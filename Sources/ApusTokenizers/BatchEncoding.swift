/// Several encoded texts.
public struct BatchEncoding: Sendable, Equatable {
    /// [texts, tokens]; all equally long if they were padded.
    public var inputIDs: [[Int]]
    /// [texts, tokens]: 1 for a token of the text, 0 for padding.
    public var attentionMask: [[Int]]

    public init(inputIDs: [[Int]], attentionMask: [[Int]]) {
        self.inputIDs = inputIDs
        self.attentionMask = attentionMask
    }

    /// How many texts there are.
    public var count: Int { inputIDs.count }
}

/// Two texts encoded as one.
public struct PairEncoding: Sendable, Equatable {
    public var inputIDs: [Int]
    /// 0 or 1 for each token, as the model's template has it: which text it belongs to.
    public var tokenTypeIDs: [Int]
}
