extension GenerationConfig {
    /// The settings for one prompt, with every default filled in and every bound checked.
    package struct Resolved: Sendable, Equatable {
        package var maxNewTokens: Int
        package var minNewTokens: Int
        package var doSample: Bool
        package var temperature: Double
        /// 0 keeps all tokens.
        package var topK: Int
        package var topP: Double
        package var minP: Double?
        package var typicalP: Double
        package var repetitionPenalty: Double
        package var presencePenalty: Double
        package var frequencyPenalty: Double
        package var noRepeatNgramSize: Int
        package var badWordsIDs: [[Int]]
        package var logitBias: [Int: Double]
        package var numReturnSequences: Int
        package var numBeams: Int
        package var lengthPenalty: Double
        package var earlyStopping: EarlyStopping
        package var eosTokenIDs: [Int]
        package var stopStrings: [String]
        package var seed: UInt64
        package var logprobs: Bool
        package var topLogprobs: Int
        package var promptLogprobs: Bool

        /// Whether anything is asked about the model's own distribution.
        package var reportsLogprobs: Bool { logprobs || topLogprobs > 0 }
    }

    /// New tokens when neither `maxNewTokens` nor `maxLength` is set, as in transformers.
    package static let defaultMaxNewTokens = 20

    /// Checks the settings that do not depend on a prompt, also those that would have no effect.
    /// Throws `GenerationError` (`.invalidConfiguration`) naming the setting and its value.
    public func validate() throws(GenerationError) {
        try validateAlways()
        try validateSampling()
    }

    private func validateAlways() throws(GenerationError) {
        if promptLogprobs == true {
            try check("max_new_tokens", maxNewTokens, "at least 0") { $0 >= 0 }
        } else {
            try check("max_new_tokens", maxNewTokens, "greater than 0") { $0 > 0 }
        }
        try check("max_length", maxLength, "greater than 0") { $0 > 0 }
        try check("min_new_tokens", minNewTokens, "at least 0") { $0 >= 0 }
        try check("repetition_penalty", repetitionPenalty, "a finite number greater than 0") { $0.isFinite && $0 > 0 }
        try check("presence_penalty", presencePenalty, "a finite number") { $0.isFinite }
        try check("frequency_penalty", frequencyPenalty, "a finite number") { $0.isFinite }
        try check("no_repeat_ngram_size", noRepeatNgramSize, "at least 0") { $0 >= 0 }
        try check("bad_words_ids", badWordsIDs, "lists of token ids of at least 0") {
            $0.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 >= 0 } }
        }
        try check("logit_bias", logitBias, "finite float32 numbers for token ids of at least 0") {
            $0.allSatisfy { $0.key >= 0 && Float($0.value).isFinite }
        }
        try check("num_return_sequences", numReturnSequences, "from 1 to 4096") { (1...4096).contains($0) }
        try check("num_beams", numBeams, "from 1 to 256") { (1...256).contains($0) }
        try check("length_penalty", lengthPenalty, "a finite number") { $0.isFinite }
        let (sequences, beams) = (numReturnSequences ?? 1, numBeams ?? 1)
        if beams > 1, doSample == true {
            throw .invalidConfiguration("num_beams is \(beams), but beams are not sampled; leave do_sample off")
        }
        if beams > 1, sequences > beams {
            throw .invalidConfiguration("num_return_sequences is \(sequences), but there are \(beams) beams")
        }
        if sequences > 1, beams == 1, doSample != true {
            throw .invalidConfiguration(
                "num_return_sequences is \(sequences), but without do_sample or num_beams all would be the same")
        }
        try check("top_logprobs", topLogprobs, "from 0 to 1000") { (0...1000).contains($0) }
        if let strings = stopStrings, strings.contains(where: \.isEmpty) {
            throw .invalidConfiguration("stop_strings must not contain an empty string")
        }
    }

    /// Of what only sampling looks at.
    private func validateSampling() throws(GenerationError) {
        try check("temperature", temperature, "a finite number of at least 0") { $0.isFinite && $0 >= 0 }
        if doSample == true, temperature == 0 {
            throw .invalidConfiguration(
                "temperature must be greater than 0 for sampling, but is 0.0; for greedy decoding leave do_sample off")
        }
        try check("top_k", topK, "at least 0") { $0 >= 0 }
        try check("top_p", topP, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
        try check("typical_p", typicalP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try check("min_p", minP, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
    }

    private func check<Value>(
        _ name: String, _ value: Value?, _ expected: String, _ isValid: (Value) -> Bool
    ) throws(GenerationError) {
        guard let value, !isValid(value) else { return }
        throw .invalidConfiguration("\(name) must be \(expected), but is \(value)")
    }

    /// Settles the settings for a prompt of `promptLength` tokens and a context of `maxPositions` tokens.
    ///
    /// Only the default length is cut to the context, as in transformers; whether a prompt fits is for the scheduler to
    /// say. Throws `GenerationError` (`.invalidConfiguration`, `.promptTooLong`).
    package func resolved(promptLength: Int, maxPositions: Int? = nil) throws(GenerationError) -> Resolved {
        // What has no effect is not enforced, as in transformers: files carry settings of sampling for greedy models too.
        try validateAlways()
        if doSample == true { try validateSampling() }
        return Resolved(
            maxNewTokens: try newTokens(promptLength, maxPositions),
            minNewTokens: minNewTokens ?? 0,
            doSample: doSample ?? false,
            temperature: temperature ?? 1,
            topK: topK ?? 50,
            topP: topP ?? 1,
            minP: minP,
            typicalP: typicalP ?? 1,
            repetitionPenalty: repetitionPenalty ?? 1,
            presencePenalty: presencePenalty ?? 0,
            frequencyPenalty: frequencyPenalty ?? 0,
            noRepeatNgramSize: noRepeatNgramSize ?? 0,
            badWordsIDs: badWordsIDs ?? [],
            logitBias: logitBias ?? [:],
            numReturnSequences: numReturnSequences ?? 1,
            numBeams: numBeams ?? 1,
            lengthPenalty: lengthPenalty ?? 1,
            earlyStopping: earlyStopping ?? .heuristic,
            eosTokenIDs: eosTokenIDs ?? [],
            stopStrings: stopStrings ?? [],
            seed: seed ?? 0,
            logprobs: logprobs ?? false,
            topLogprobs: topLogprobs ?? 0,
            promptLogprobs: promptLogprobs ?? false)
    }

    private func newTokens(_ promptLength: Int, _ maxPositions: Int?) throws(GenerationError) -> Int {
        if let maxNewTokens { return maxNewTokens }
        if let maxLength {
            guard promptLength < maxLength else {
                throw .promptTooLong(
                    "the prompt has \(promptLength) tokens, but max_length is \(maxLength); set max_new_tokens instead")
            }
            return maxLength - promptLength
        }
        guard let maxPositions else { return Self.defaultMaxNewTokens }
        guard promptLength < maxPositions else {
            throw .promptTooLong("the prompt has \(promptLength) tokens, but the context is \(maxPositions)")
        }
        return min(Self.defaultMaxNewTokens, maxPositions - promptLength)
    }
}

extension GenerationConfig.Resolved {
    /// Throws `GenerationError` (`.invalidConfiguration`) for settings of tokens that there are not.
    func check(vocabulary size: Int) throws(GenerationError) {
        func check(_ name: String, _ tokens: some Sequence<Int>) throws(GenerationError) {
            guard let token = tokens.first(where: { $0 >= size }) else { return }
            throw .invalidConfiguration("\(name): token \(token) is beyond the model's vocabulary of \(size)")
        }
        try check("bad_words_ids", badWordsIDs.joined())
        try check("logit_bias", logitBias.keys)
    }
}
