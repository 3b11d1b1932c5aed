package import ApusCheckpoints
package import ApusJSON

extension GenerationConfig {
    /// What a model's directory says: `generation_config.json`, and the special tokens of `config.json` where it is silent.
    /// Throws `CheckpointError` for a file that cannot be read or a value of the wrong kind.
    package init(directory: String) throws(CheckpointError) {
        self.init()
        if GGUFFile.isOne(directory) {
            try readSpecialTokens(GGUFFile(path: directory))
            return
        }
        if let file = try ConfigurationFile(optionalPath: directory + "/config.json") {
            try readSpecialTokens(file)
        }
        if let file = try ConfigurationFile(optionalPath: directory + "/generation_config.json") {
            self = merging(try GenerationConfig(file))
        }
    }

    /// Reads the keys of `generation_config.json`; unknown keys are passed over.
    package init(_ file: ConfigurationFile) throws(CheckpointError) {
        func key(_ key: CodingKeys) -> String { key.rawValue }
        self.init(
            maxNewTokens: try file.optionalInt(key(.maxNewTokens)),
            maxLength: try file.optionalInt(key(.maxLength)),
            minNewTokens: try file.optionalInt(key(.minNewTokens)),
            doSample: try file.optionalBool(key(.doSample)),
            temperature: try file.optionalDouble(key(.temperature)),
            topK: try file.optionalInt(key(.topK)),
            topP: try file.optionalDouble(key(.topP)),
            minP: try file.optionalDouble(key(.minP)),
            typicalP: try file.optionalDouble(key(.typicalP)),
            repetitionPenalty: try file.optionalDouble(key(.repetitionPenalty)),
            presencePenalty: try file.optionalDouble(key(.presencePenalty)),
            frequencyPenalty: try file.optionalDouble(key(.frequencyPenalty)),
            noRepeatNgramSize: try file.optionalInt(key(.noRepeatNgramSize)),
            badWordsIDs: try file.tokenLists(key(.badWordsIDs)),
            logitBias: try file.biases(key(.logitBias)),
            numReturnSequences: try file.optionalInt(key(.numReturnSequences)),
            numBeams: try file.optionalInt(key(.numBeams)),
            lengthPenalty: try file.optionalDouble(key(.lengthPenalty)),
            earlyStopping: try file.earlyStopping(key(.earlyStopping)),
            stopStrings: file[key(.stopStrings)] == nil ? nil : try file.strings(key(.stopStrings)),
            seed: try file.optionalInt(key(.seed)).map { UInt64(bitPattern: Int64($0)) },
            logprobs: try file.optionalBool(key(.logprobs)),
            topLogprobs: try file.optionalInt(key(.topLogprobs)),
            promptLogprobs: try file.optionalBool(key(.promptLogprobs)))
        try readSpecialTokens(file)
    }

    /// A file of llama.cpp's names ends of texts, of turns and of messages.
    private mutating func readSpecialTokens(_ file: GGUFFile) throws(CheckpointError) {
        func id(_ name: String) throws(CheckpointError) -> Int? {
            try file.value("tokenizer.ggml.\(name)_token_id")?.integer
        }
        let ends = [try id("eos"), try id("eot"), try id("eom")].compactMap(\.self)
        if !ends.isEmpty { eosTokenIDs = ends.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
        bosTokenID = try id("bos")
        padTokenID = try id("padding")
    }

    private mutating func readSpecialTokens(_ file: ConfigurationFile) throws(CheckpointError) {
        let eos = CodingKeys.eosTokenIDs.rawValue
        if file[eos] != nil { eosTokenIDs = try file.integers(eos) }
        // Some models list several beginnings, of which the first is used.
        bosTokenID = try file.integers(CodingKeys.bosTokenID.rawValue).first
        padTokenID = try file.integers(CodingKeys.padTokenID.rawValue).first
    }

    /// The settings as a JSON object with the keys of `generation_config.json`; what is not set is left out.
    package var json: JSONObject {
        var object = JSONObject()
        func add(_ key: CodingKeys, _ value: JSONValue?) {
            if let value { object.append(key.rawValue, value) }
        }
        add(.maxNewTokens, maxNewTokens.map(JSONValue.integer))
        add(.maxLength, maxLength.map(JSONValue.integer))
        add(.minNewTokens, minNewTokens.map(JSONValue.integer))
        add(.doSample, doSample.map(JSONValue.bool))
        add(.temperature, temperature.map(JSONValue.number))
        add(.topK, topK.map(JSONValue.integer))
        add(.topP, topP.map(JSONValue.number))
        add(.minP, minP.map(JSONValue.number))
        add(.typicalP, typicalP.map(JSONValue.number))
        add(.repetitionPenalty, repetitionPenalty.map(JSONValue.number))
        add(.presencePenalty, presencePenalty.map(JSONValue.number))
        add(.frequencyPenalty, frequencyPenalty.map(JSONValue.number))
        add(.noRepeatNgramSize, noRepeatNgramSize.map(JSONValue.integer))
        add(.badWordsIDs, badWordsIDs.map { .array($0.map { .array($0.map(JSONValue.integer)) }) })
        add(
            .logitBias,
            logitBias.map { biases in
                .object(
                    JSONObject(
                        biases.sorted { $0.key < $1.key }.map { .init(key: "\($0.key)", value: .number($0.value)) }))
            })
        add(.numReturnSequences, numReturnSequences.map(JSONValue.integer))
        add(.numBeams, numBeams.map(JSONValue.integer))
        add(.lengthPenalty, lengthPenalty.map(JSONValue.number))
        add(.earlyStopping, earlyStopping.map { $0 == .never ? "never" : .bool($0 == .whenFull) })
        add(.eosTokenIDs, eosTokenIDs.map { .array($0.map(JSONValue.integer)) })
        add(.bosTokenID, bosTokenID.map(JSONValue.integer))
        add(.padTokenID, padTokenID.map(JSONValue.integer))
        add(.stopStrings, stopStrings.map { .array($0.map(JSONValue.string)) })
        add(.seed, seed.map { .integer(Int(Int64(bitPattern: $0))) })
        add(.logprobs, logprobs.map(JSONValue.bool))
        add(.topLogprobs, topLogprobs.map(JSONValue.integer))
        add(.promptLogprobs, promptLogprobs.map(JSONValue.bool))
        return object
    }

    /// The keys of a prompt's own settings, as in `generation_config.json`.
    package static let settingKeys = CodingKeys.allCases.map(\.rawValue)

    /// Settings of transformers that would change the result and are not followed here, with the value that has no effect.
    private static let unsupported: [(key: String, neutral: JSONValue)] = [
        ("num_beam_groups", 1), ("diversity_penalty", 0),
        ("min_length", 0), ("encoder_no_repeat_ngram_size", 0), ("constraints", nil),
        ("force_words_ids", nil), ("dola_layers", nil), ("token_healing", false), ("renormalize_logits", false),
        ("remove_invalid_values", false), ("low_memory", false), ("prompt_lookup_num_tokens", nil),
        ("penalty_alpha", 0), ("guidance_scale", 1), ("encoder_repetition_penalty", 1), ("epsilon_cutoff", 0),
        ("eta_cutoff", 0), ("top_h", nil), ("sequence_bias", nil), ("forced_bos_token_id", nil),
        ("forced_eos_token_id", nil), ("suppress_tokens", nil), ("begin_suppress_tokens", nil),
        ("exponential_decay_length_penalty", nil), ("watermarking_config", nil), ("max_time", nil),
    ]

    /// The names of all of those.
    package static let unsupportedNames = unsupported.map(\.key)

    /// Keys of a file that ask for something that Apus does not do, so that a person can be told.
    package static func unsupportedKeys(in file: ConfigurationFile) -> [String] {
        unsupported.compactMap { key, neutral in
            guard let value = file[key], value != neutral else { return nil }
            if let number = value.double, number == neutral.double { return nil }
            return key
        }
    }
}

extension ConfigurationFile {
    /// Lists of token ids; `nil` for an absent key.
    fileprivate func tokenLists(_ key: String) throws(CheckpointError) -> [[Int]]? {
        guard let value = self[key], !value.isNull else { return nil }
        var lists: [[Int]] = []
        for list in value.array ?? [] {
            guard let ids = list.array?.map(\.integer), !ids.isEmpty, !ids.contains(nil) else { break }
            lists.append(ids.compactMap { $0 })
        }
        guard let array = value.array, lists.count == array.count else {
            throw fault(key, expected: "lists of token ids", got: value.serialized)
        }
        return lists
    }

    /// True, false or "never"; `nil` for an absent key.
    fileprivate func earlyStopping(_ key: String) throws(CheckpointError) -> EarlyStopping? {
        guard let value = self[key], !value.isNull else { return nil }
        if value.string == "never" { return .never }
        guard let flag = value.bool else {
            throw fault(key, expected: "true, false or \"never\"", got: value.serialized)
        }
        return flag ? .whenFull : .heuristic
    }

    /// Numbers by token ids; `nil` for an absent key.
    fileprivate func biases(_ key: String) throws(CheckpointError) -> [Int: Double]? {
        guard let value = self[key], !value.isNull else { return nil }
        var biases: [Int: Double] = [:]
        for member in value.object?.members ?? [] {
            guard let token = Int(member.key), let bias = member.value.double else { continue }
            biases[token] = bias
        }
        guard let object = value.object, biases.count == object.members.count else {
            throw fault(key, expected: "an object of token ids and numbers", got: value.serialized)
        }
        return biases
    }
}
