package import ApusCheckpoints
package import ApusJSON

extension GenerationConfig {
    /// What a model's directory says: `generation_config.json`, and the special tokens of `config.json` where it is silent.
    /// Throws `CheckpointError` for a file that cannot be read or a value of the wrong kind.
    package init(directory: String) throws(CheckpointError) {
        self.init()
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
            repetitionPenalty: try file.optionalDouble(key(.repetitionPenalty)),
            stopStrings: file[key(.stopStrings)] == nil ? nil : try file.strings(key(.stopStrings)),
            seed: try file.optionalInt(key(.seed)).map { UInt64(bitPattern: Int64($0)) },
            logprobs: try file.optionalBool(key(.logprobs)))
        try readSpecialTokens(file)
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
        add(.repetitionPenalty, repetitionPenalty.map(JSONValue.number))
        add(.eosTokenIDs, eosTokenIDs.map { .array($0.map(JSONValue.integer)) })
        add(.bosTokenID, bosTokenID.map(JSONValue.integer))
        add(.padTokenID, padTokenID.map(JSONValue.integer))
        add(.stopStrings, stopStrings.map { .array($0.map(JSONValue.string)) })
        add(.seed, seed.map { .integer(Int(Int64(bitPattern: $0))) })
        add(.logprobs, logprobs.map(JSONValue.bool))
        return object
    }

    /// The keys of a prompt's own settings, as in `generation_config.json`.
    package static let settingKeys = CodingKeys.allCases.map(\.rawValue)

    /// Settings of transformers that would change the result and are not followed here, with the value that has no effect.
    private static let unsupported: [(key: String, neutral: JSONValue)] = [
        ("num_beams", 1), ("num_return_sequences", 1), ("no_repeat_ngram_size", 0), ("typical_p", 1), ("min_length", 0),
        ("penalty_alpha", 0), ("guidance_scale", 1), ("encoder_repetition_penalty", 1), ("epsilon_cutoff", 0),
        ("eta_cutoff", 0), ("top_h", nil), ("bad_words_ids", nil), ("sequence_bias", nil), ("forced_bos_token_id", nil),
        ("forced_eos_token_id", nil), ("suppress_tokens", nil), ("begin_suppress_tokens", nil),
        ("exponential_decay_length_penalty", nil), ("watermarking_config", nil), ("max_time", nil),
    ]

    /// Keys of a file that ask for something that Apus does not do, so that a person can be told.
    package static func unsupportedKeys(in file: ConfigurationFile) -> [String] {
        unsupported.compactMap { key, neutral in
            guard let value = file[key], value != neutral else { return nil }
            if let number = value.double, number == neutral.double { return nil }
            return key
        }
    }
}
