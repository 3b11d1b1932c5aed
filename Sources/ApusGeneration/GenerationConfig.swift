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
    /// Taken from the logits of tokens that were generated before. Default: 0.
    public var presencePenalty: Double?
    /// Taken from the logits of tokens for each time that they were generated before. Default: 0.
    public var frequencyPenalty: Double?
    /// No run of so many tokens, prompt included, comes twice; 0 allows all. Default: 0.
    public var noRepeatNgramSize: Int?
    /// Sequences of tokens that do not come.
    public var badWordsIDs: [[Int]]?
    /// Sampling keeps the tokens whose information is nearest to what is expected, until their probabilities reach this sum.
    /// Default: 1, which keeps all.
    public var typicalP: Double?
    /// What is added to the logits of tokens, by their ids.
    public var logitBias: [Int: Double]?
    /// Continuations of each prompt. Above 1 they must be sampled. Default: 1.
    public var numReturnSequences: Int?
    /// Sequences that a beam search follows at once; 1 is no beam search. It is not sampled. Default: 1.
    public var numBeams: Int?
    /// Of beams: finished sequences are compared by their log-probability over their length to this power. Default: 1.
    public var lengthPenalty: Double?
    /// Of beams: when the search ends. Default: by the heuristic.
    public var earlyStopping: EarlyStopping?
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
    /// How many of the most probable tokens results carry with their log-probabilities for each new token. Default: 0.
    public var topLogprobs: Int?
    /// Whether results carry the log-probability of each token of the prompt after those before it. With it, `maxNewTokens`
    /// may be 0. Default: false.
    public var promptLogprobs: Bool?

    public init(
        maxNewTokens: Int? = nil, maxLength: Int? = nil, minNewTokens: Int? = nil, doSample: Bool? = nil,
        temperature: Double? = nil, topK: Int? = nil, topP: Double? = nil, minP: Double? = nil, typicalP: Double? = nil,
        repetitionPenalty: Double? = nil, presencePenalty: Double? = nil, frequencyPenalty: Double? = nil,
        noRepeatNgramSize: Int? = nil, badWordsIDs: [[Int]]? = nil, logitBias: [Int: Double]? = nil,
        numReturnSequences: Int? = nil, numBeams: Int? = nil, lengthPenalty: Double? = nil,
        earlyStopping: EarlyStopping? = nil, eosTokenIDs: [Int]? = nil, bosTokenID: Int? = nil, padTokenID: Int? = nil,
        stopStrings: [String]? = nil, seed: UInt64? = nil, logprobs: Bool? = nil, topLogprobs: Int? = nil,
        promptLogprobs: Bool? = nil
    ) {
        self.maxNewTokens = maxNewTokens
        self.maxLength = maxLength
        self.minNewTokens = minNewTokens
        self.doSample = doSample
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.typicalP = typicalP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.noRepeatNgramSize = noRepeatNgramSize
        self.badWordsIDs = badWordsIDs
        self.logitBias = logitBias
        self.numReturnSequences = numReturnSequences
        self.numBeams = numBeams
        self.lengthPenalty = lengthPenalty
        self.earlyStopping = earlyStopping
        self.eosTokenIDs = eosTokenIDs
        self.bosTokenID = bosTokenID
        self.padTokenID = padTokenID
        self.stopStrings = stopStrings
        self.seed = seed
        self.logprobs = logprobs
        self.topLogprobs = topLogprobs
        self.promptLogprobs = promptLogprobs
    }

    /// This configuration with every setting replaced that `overrides` sets.
    ///
    /// A length set by `overrides` replaces both lengths, so that a caller's `maxLength` is not lost to the model's
    /// `maxNewTokens`.
    public func merging(_ overrides: GenerationConfig) -> GenerationConfig {
        var merged = self
        func take<Value>(_ setting: WritableKeyPath<GenerationConfig, Value?>) {
            if let value = overrides[keyPath: setting] { merged[keyPath: setting] = value }
        }
        if overrides.maxNewTokens != nil || overrides.maxLength != nil {
            merged.maxNewTokens = overrides.maxNewTokens
            merged.maxLength = overrides.maxLength
        }
        take(\.minNewTokens)
        take(\.doSample)
        take(\.temperature)
        take(\.topK)
        take(\.topP)
        take(\.minP)
        take(\.typicalP)
        take(\.repetitionPenalty)
        take(\.presencePenalty)
        take(\.frequencyPenalty)
        take(\.noRepeatNgramSize)
        take(\.badWordsIDs)
        take(\.logitBias)
        take(\.numReturnSequences)
        take(\.numBeams)
        take(\.lengthPenalty)
        take(\.earlyStopping)
        take(\.eosTokenIDs)
        take(\.bosTokenID)
        take(\.padTokenID)
        take(\.stopStrings)
        take(\.seed)
        take(\.logprobs)
        take(\.topLogprobs)
        take(\.promptLogprobs)
        return merged
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
        case typicalP = "typical_p"
        case repetitionPenalty = "repetition_penalty"
        case presencePenalty = "presence_penalty"
        case frequencyPenalty = "frequency_penalty"
        case noRepeatNgramSize = "no_repeat_ngram_size"
        case badWordsIDs = "bad_words_ids"
        case logitBias = "logit_bias"
        case numReturnSequences = "num_return_sequences"
        case numBeams = "num_beams"
        case lengthPenalty = "length_penalty"
        case earlyStopping = "early_stopping"
        case eosTokenIDs = "eos_token_id"
        case bosTokenID = "bos_token_id"
        case padTokenID = "pad_token_id"
        case stopStrings = "stop_strings"
        case seed
        case logprobs
        case topLogprobs = "top_logprobs"
        case promptLogprobs = "prompt_logprobs"
    }
}
