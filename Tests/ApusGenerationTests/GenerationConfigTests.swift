import ApusCheckpoints
import ApusGeneration
import ApusJSON
import ApusTestSupport
import Foundation
import Testing

@Suite struct GenerationConfigTests {
    private func directory(config: String? = nil, generation: String? = nil) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        if let config { try directory.write("config.json", config) }
        if let generation { try directory.write("generation_config.json", generation) }
        return directory
    }

    @Test func readsTheModelsFiles() throws {
        let directory = try directory(
            config: #"{"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": null, "temperature": 9}"#,
            generation: #"""
                {"do_sample": true, "temperature": 0.6, "top_p": 0.9, "max_length": 4096, "eos_token_id": [7, 8],
                 "stop_strings": "END", "transformers_version": "5", "num_beams": 1}
                """#)
        #expect(
            try GenerationConfig(directory: directory.path)
                == GenerationConfig(
                    maxLength: 4096, doSample: true, temperature: 0.6, topP: 0.9, numBeams: 1, eosTokenIDs: [7, 8],
                    bosTokenID: 1, stopStrings: ["END"]))
        let silent = try self.directory(config: #"{"eos_token_id": [2, 3]}"#, generation: "{}")
        #expect(try GenerationConfig(directory: silent.path) == GenerationConfig(eosTokenIDs: [2, 3]))
        #expect(try GenerationConfig(directory: self.directory().path) == GenerationConfig())
    }

    @Test func namesWhatIsWrongInAFile() throws {
        let directory = try directory(generation: #"{"top_k": "many"}"#)
        let error = try #require(throws: CheckpointError.self) { try GenerationConfig(directory: directory.path) }
        #expect(error.message == #"\#(directory.path)/generation_config.json: top_k: expected an integer, got "many""#)
    }

    @Test func tellsWhatIsNotSupported() throws {
        let directory = try directory(
            generation: #"{"num_beam_groups": 4, "typical_p": 1.0, "penalty_alpha": 3, "max_time": null, "top_k": 3}"#)
        let file = try ConfigurationFile(path: directory.path + "/generation_config.json")
        #expect(GenerationConfig.unsupportedKeys(in: file) == ["num_beam_groups", "penalty_alpha"])
    }

    @Test func everySettingSurvivesJSONAndMerging() throws {
        let all = GenerationConfig(
            maxNewTokens: 1, maxLength: 2, minNewTokens: 3, doSample: true, temperature: 0.4, topK: 5, topP: 0.6,
            minP: 0.7, typicalP: 0.75, repetitionPenalty: 0.8, presencePenalty: 0.81, frequencyPenalty: 0.82,
            noRepeatNgramSize: 2, badWordsIDs: [[1], [2, 3]], logitBias: [4: 0.5, 70: -1], numReturnSequences: 3,
            numBeams: 4, lengthPenalty: 0.4, earlyStopping: .never,
            eosTokenIDs: [9], bosTokenID: 10, padTokenID: 11, stopStrings: ["12"], seed: .max, logprobs: true,
            topLogprobs: 4, promptLogprobs: true)
        #expect(all.json.count == 27)
        #expect(try GenerationConfig(ConfigurationFile(file: "f", object: all.json)) == all)
        #expect(try JSONDecoder().decode(GenerationConfig.self, from: JSONEncoder().encode(all)) == all)
        #expect(GenerationConfig().merging(all) == all)
        #expect(all.merging(GenerationConfig()) == all)
        #expect(GenerationConfig().json.isEmpty)
    }

    @Test func lengthsFollowTransformers() throws {
        func count(_ config: GenerationConfig, prompt: Int, positions: Int? = nil) throws -> Int {
            try config.resolved(promptLength: prompt, maxPositions: positions).maxNewTokens
        }
        #expect(try count(GenerationConfig(), prompt: 5) == 20)
        #expect(try count(GenerationConfig(), prompt: 5, positions: 12) == 7)
        #expect(try count(GenerationConfig(maxLength: 30), prompt: 5) == 25)
        #expect(try count(GenerationConfig(maxNewTokens: 64, maxLength: 10), prompt: 50, positions: 12) == 64)
        let model = GenerationConfig(maxNewTokens: 7, maxLength: 100)
        #expect(try count(model.merging(GenerationConfig(maxLength: 10)), prompt: 2) == 8)
        #expect(try count(model.merging(GenerationConfig(maxNewTokens: 9)), prompt: 2) == 9)
        for config in [GenerationConfig(maxLength: 5), GenerationConfig()] {
            let error = try #require(throws: GenerationError.self) {
                try config.resolved(promptLength: 5, maxPositions: 5)
            }
            #expect(error.code == .promptTooLong)
        }
    }

    @Test(arguments: [
        (GenerationConfig(maxNewTokens: 0), "max_new_tokens must be greater than 0, but is 0"),
        (GenerationConfig(maxLength: -1), "max_length must be greater than 0, but is -1"),
        (GenerationConfig(minNewTokens: -1), "min_new_tokens must be at least 0"),
        (GenerationConfig(doSample: true, temperature: 0), "temperature must be greater than 0 for sampling"),
        (GenerationConfig(temperature: -0.5), "temperature must be a finite number of at least 0, but is -0.5"),
        (GenerationConfig(temperature: .nan), "but is nan"),
        (GenerationConfig(topK: -1), "top_k must be at least 0"),
        (GenerationConfig(topP: 1.5), "top_p must be from 0 to 1, but is 1.5"),
        (GenerationConfig(topP: .nan), "top_p must be from 0 to 1"),
        (GenerationConfig(minP: -0.1), "min_p must be from 0 to 1"),
        (GenerationConfig(repetitionPenalty: 0), "repetition_penalty must be a finite number greater than 0"),
        (GenerationConfig(stopStrings: [""]), "stop_strings"),
    ]) func namesTheSettingOutOfBounds(_ config: GenerationConfig, _ message: String) throws {
        for sampling in [config, config.merging(GenerationConfig(doSample: true))] {
            let error = try #require(throws: GenerationError.self) { try sampling.validate() }
            #expect(error.message.contains(message) && error.code == .invalidConfiguration)
        }
        let sampled = config.merging(GenerationConfig(doSample: true))
        #expect(throws: GenerationError.self) { try sampled.resolved(promptLength: 1) }
    }

    @Test func defaultsAreThoseOfTransformers() throws {
        let resolved = try GenerationConfig(temperature: 0).resolved(promptLength: 1)
        #expect(!resolved.doSample && resolved.topK == 50 && resolved.topP == 1 && resolved.minP == nil)
        #expect(try GenerationConfig().resolved(promptLength: 1).temperature == 1)
    }

    /// Files of greedy models carry such settings.
    @Test func settingsOfSamplingAreNotEnforcedWithoutIt() throws {
        let odd = GenerationConfig(temperature: -1, topK: -1, topP: 3, minP: .nan)
        for greedy in [odd, odd.merging(GenerationConfig(doSample: false))] {
            #expect(try greedy.resolved(promptLength: 1).doSample == false)
        }
        #expect(throws: GenerationError.self) {
            try odd.merging(GenerationConfig(repetitionPenalty: -1)).resolved(promptLength: 1)
        }
    }
}
