/// How to choose tokens and when to stop: the names and meanings are those of transformers' `GenerationConfig`.
///
/// A setting that is `nil` leaves the choice to what comes after it: what a call says wins over the model's
/// `generation_config.json`, which wins over the defaults given here.
public struct GenerationConfig: Sendable, Equatable {
    /// Most tokens to generate, without the prompt. Wins over `maxLength`. Default: 20, if `maxLength` is not set either.
    public var maxNewTokens: Int?
    /// Most tokens of prompt and result together.
    public var maxLength: Int?
    /// End tokens are not chosen before this many new tokens. Default: 0.
    public var minNewTokens: Int?
    /// Whether to draw tokens at random instead of taking the best. Default: false.
    public var doSample: Bool?
    /// Logits are divided by it before sampling. Default: 1.
    public var temperature: Double?
    /// Sampling keeps the best `topK` tokens and those that tie with the last of them; 0 keeps all. Default: 50.
    public var topK: Int?
    /// Sampling keeps the smallest set of best tokens whose probabilities reach this sum. Default: 1.
    public var topP: Double?
    /// Sampling drops tokens less probable than this fraction of the best one's probability. Default: none dropped.
    public var minP: Double?
    /// Logits of tokens that already occurred are divided by it if positive, else multiplied. Default: 1.
    public var repetitionPenalty: Double?
    /// Tokens that end a text.
    public var eosTokenIDs: [Int]?
    public var bosTokenID: Int?
    public var padTokenID: Int?
    /// Strings that end a text as soon as it contains one; the text keeps it.
    public var stopStrings: [String]?
    /// Seed of the random numbers; they depend on it, the prompt's index and the step alone. Default: 0.
    public var seed: UInt64?
    /// Whether results carry the log-probability of each token. Default: false.
    public var logprobs: Bool?

    public init(
        maxNewTokens: Int? = nil, maxLength: Int? = nil, minNewTokens: Int? = nil, doSample: Bool? = nil,
        temperature: Double? = nil, topK: Int? = nil, topP: Double? = nil, minP: Double? = nil,
        repetitionPenalty: Double? = nil, eosTokenIDs: [Int]? = nil, bosTokenID: Int? = nil, padTokenID: Int? = nil,
        stopStrings: [String]? = nil, seed: UInt64? = nil, logprobs: Bool? = nil
    ) {
        self.maxNewTokens = maxNewTokens
        self.maxLength = maxLength
        self.minNewTokens = minNewTokens
        self.doSample = doSample
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.eosTokenIDs = eosTokenIDs
        self.bosTokenID = bosTokenID
        self.padTokenID = padTokenID
        self.stopStrings = stopStrings
        self.seed = seed
        self.logprobs = logprobs
    }

    /// This configuration with every setting replaced that `overrides` sets.
    ///
    /// A length set by `overrides` replaces both lengths, so that a caller's `maxLength` is not lost to the model's
    /// `maxNewTokens`.
    public func merging(_ overrides: GenerationConfig) -> GenerationConfig {
        let setsLength = overrides.maxNewTokens != nil || overrides.maxLength != nil
        return GenerationConfig(
            maxNewTokens: setsLength ? overrides.maxNewTokens : maxNewTokens,
            maxLength: setsLength ? overrides.maxLength : maxLength,
            minNewTokens: overrides.minNewTokens ?? minNewTokens,
            doSample: overrides.doSample ?? doSample,
            temperature: overrides.temperature ?? temperature,
            topK: overrides.topK ?? topK,
            topP: overrides.topP ?? topP,
            minP: overrides.minP ?? minP,
            repetitionPenalty: overrides.repetitionPenalty ?? repetitionPenalty,
            eosTokenIDs: overrides.eosTokenIDs ?? eosTokenIDs,
            bosTokenID: overrides.bosTokenID ?? bosTokenID,
            padTokenID: overrides.padTokenID ?? padTokenID,
            stopStrings: overrides.stopStrings ?? stopStrings,
            seed: overrides.seed ?? seed,
            logprobs: overrides.logprobs ?? logprobs)
    }
}

extension GenerationConfig: Codable {
    /// The spelling of `generation_config.json`.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case maxNewTokens = "max_new_tokens"
        case maxLength = "max_length"
        case minNewTokens = "min_new_tokens"
        case doSample = "do_sample"
        case temperature
        case topK = "top_k"
        case topP = "top_p"
        case minP = "min_p"
        case repetitionPenalty = "repetition_penalty"
        case eosTokenIDs = "eos_token_id"
        case bosTokenID = "bos_token_id"
        case padTokenID = "pad_token_id"
        case stopStrings = "stop_strings"
        case seed
        case logprobs
    }
}
