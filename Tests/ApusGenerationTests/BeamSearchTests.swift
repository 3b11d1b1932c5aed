import ApusCPU
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

@Suite struct BeamSearchTests {
    private func search(_ config: GenerationConfig) throws -> BeamSearch {
        BeamSearch(try config.resolved(promptLength: 1))
    }

    private func continuations(_ scores: [Int: Float]) -> BeamSearch.Continuations {
        .init(
            candidates: scores.sorted { $0.value > $1.value }.map {
                BeamCandidate(token: $0.key, score: $0.value, logprob: Double($0.value))
            })
    }

    /// What begins worse ends better.
    @Test func findsWhatGreedyMisses() throws {
        var search = try search(GenerationConfig(maxNewTokens: 2, numBeams: 2))
        try search.advance([continuations([1: -0.5, 2: -1, 3: -9])])
        #expect(search.running.map(\.tokens) == [[1], [2]])
        try search.advance([continuations([4: -2, 5: -2.5]), continuations([4: -0.1, 5: -3])])
        #expect(search.hasEnded)
        #expect(search.finished.map(\.tokens) == [[2, 4], [1, 4]])
        #expect(search.finished.map(\.score) == [-0.55, -1.25])
        #expect(search.finished.map(\.finishReason) == [.length, .length])
    }

    @Test func aLengthPenaltyFavoursLength() throws {
        for (penalty, best) in [(0.0, [9]), (2.0, [1, 9])] {
            var search = try search(
                GenerationConfig(
                    maxNewTokens: 3, numBeams: 2, lengthPenalty: penalty, earlyStopping: .whenFull, eosTokenIDs: [9]))
            try search.advance([continuations([1: -0.5, 9: -0.6, 2: -0.7])])
            #expect(!search.hasEnded)
            try search.advance([continuations([9: -0.3, 3: -5]), continuations([9: -2, 3: -5])])
            #expect(search.hasEnded)
            #expect(search.finished.first?.tokens == best)
        }
    }

    /// Batch, and what else is in flight, have no influence; the beams of one are the best of many.
    @Test func beamsDoNotDependOnTheirNeighbours() async throws {
        let checkpoint = try ModelFixture.load("gqa-tied").directory
        let config = GenerationConfig(maxNewTokens: 12, numReturnSequences: 3, numBeams: 4, promptLogprobs: true)
        let prompts = [[1, 2, 3], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18], [3]]
        var answers: [[GenerationOutput]] = []
        for batch in [1, 3, 16] {
            let model = try CausalLanguageModel(
                DecoderModel.load(directory: checkpoint, device: CPUDevice(threads: 1)),
                generationConfig: GenerationConfig(), batchSize: batch, memory: 1 << 24)
            answers.append(try await model.generate(prompts, config: config))
        }
        #expect(answers[0].count == 9)
        #expect(answers[0] == answers[1] && answers[0] == answers[2])
        #expect(answers[0][0].promptLogprobs?.count == 3)
        #expect(answers[0][0].promptLogprobs?[0] == .some(nil))
        let scores = answers[0].map { $0.score ?? 0 }
        #expect(scores[0] >= scores[1] && scores[1] >= scores[2])
    }

    /// With so few blocks that beams wait for each other, and are computed anew.
    @Test func beamsDoNotDependOnMemory() async throws {
        let checkpoint = try ModelFixture.load("mha").directory
        let config = GenerationConfig(maxNewTokens: 40, numReturnSequences: 2, numBeams: 3)
        let prompts = (0..<3).map { first in (0..<30).map { (first * 31 + $0 * 7) % 90 + 1 } }
        func answers(blocks: Int) async throws -> [GenerationOutput] {
            let model = try CausalLanguageModel(
                DecoderModel.load(directory: checkpoint, device: CPUDevice(threads: 1)),
                generationConfig: GenerationConfig(),
                limits: StepLimits(tokens: 64, outputs: 9, sequences: 9, blocksPerSequence: 5, blocks: blocks))
            return try await model.generate(prompts, config: config)
        }
        let roomy = try await answers(blocks: 200)
        #expect(try await answers(blocks: 8) == roomy)
    }

    /// Where long texts are worth less than nothing, transformers finds none.
    @Test(arguments: [-6.0, -1e30, 1e30]) func somethingIsAlwaysFound(_ penalty: Double) async throws {
        let model = try CausalLanguageModel(
            DecoderModel.load(directory: ModelFixture.load("mha").directory, device: CPUDevice(threads: 1)),
            generationConfig: GenerationConfig(), batchSize: 2, memory: 1 << 24)
        let config = GenerationConfig(
            maxNewTokens: 30, numReturnSequences: 3, numBeams: 3, lengthPenalty: penalty, eosTokenIDs: [])
        let outputs = try await model.generate([[1, 2, 3]], config: config)
        #expect(outputs.count == 3 && outputs.allSatisfy { $0.tokenIDs.count == 30 })
    }

    @Test func settingsOfTokensThatThereAreNotAreRefused() async throws {
        let model = try CausalLanguageModel(
            DecoderModel.load(directory: ModelFixture.load("mha").directory, device: CPUDevice(threads: 1)),
            generationConfig: GenerationConfig(), batchSize: 1, memory: 1 << 24)
        for config in [
            GenerationConfig(maxNewTokens: 2, badWordsIDs: [[1], [2, 1 << 40]]),
            GenerationConfig(maxNewTokens: 2, logitBias: [1 << 40: 1]),
            GenerationConfig(maxNewTokens: 2, logitBias: [1: 1e300]),
        ] {
            let error = await #expect(throws: GenerationError.self) {
                try await model.generate([[1, 2]], config: config)
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test func whatBeamsCannotDoIsRefused() {
        for config in [
            GenerationConfig(doSample: true, numBeams: 2), GenerationConfig(numReturnSequences: 3, numBeams: 2),
            GenerationConfig(numReturnSequences: 2), GenerationConfig(numBeams: 0), GenerationConfig(maxNewTokens: 0),
        ] { #expect(throws: GenerationError.self) { try config.validate() } }
        #expect(throws: Never.self) { try GenerationConfig(maxNewTokens: 0, promptLogprobs: true).validate() }
    }
}
