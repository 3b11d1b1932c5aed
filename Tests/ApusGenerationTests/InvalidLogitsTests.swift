import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import Testing

/// Models that compute logits that are no numbers: an error of their sequences, however tokens are chosen and whatever
/// runs beside.
@Suite struct InvalidLogitsTests {
    /// The model of a fixture, one element of one row of its head replaced.
    private func model(_ value: Float, _ set: InstructionSet) throws -> DecoderModel {
        let copy = try ModelFixture.load("mha").copy { tensor, name, builder in
            var values = tensor.floats
            if name == "lm_head.weight" { values[97 * tensor.shape[1]] = value }
            builder.add(name, values, shape: tensor.shape)
        }
        return try DecoderModel.load(directory: copy.path, device: CPUDevice(threads: 2, instructionSet: set))
    }

    private static let settings = [
        GenerationConfig(), GenerationConfig(logprobs: true), GenerationConfig(doSample: true, seed: 3),
        GenerationConfig(minNewTokens: 2, repetitionPenalty: 1.2, eosTokenIDs: [1]),
    ]

    @Test(arguments: [Float.nan, .infinity, -.infinity], InstructionSet.available)
    func areAnErrorOnEveryPath(_ value: Float, _ set: InstructionSet) async throws {
        let model = try model(value, set)
        var answers: [[Int: String]] = []
        for sequences in [1, 2, 64] {
            let engine = try Engine(model, limits: .init(sequences: sequences, tokensPerStep: 64, blocks: 200))
            var answer: [Int: String] = [:]
            let streams = try (0..<24).map { index in
                let prompt = [index, index * 2 + 1, 7]
                var config = GenerationConfig(maxNewTokens: 1, eosTokenIDs: []).merging(Self.settings[index % 4])
                config.maxNewTokens = 1
                return engine.generate(
                    GenerationRequest(
                        promptTokens: prompt, config: try config.resolved(promptLength: 3), promptIndex: index))
            }
            for (index, stream) in streams.enumerated() {
                var tokens: [Int] = []
                do {
                    for try await token in stream { tokens.append(token.id) }
                    answer[index] = "\(tokens)"
                } catch let error as GenerationError {
                    answer[index] = "\(tokens) \(error.code)"
                    #expect(error.code == .invalidLogits)
                }
            }
            answers.append(answer)
        }
        #expect(answers[1] == answers[0] && answers[2] == answers[0])
        let failed = answers[0].values.count { $0.contains("invalidLogits") }
        // The sign of an infinity is that of what it is multiplied with: minus infinity is a token never chosen.
        #expect(value.isNaN ? failed == 24 : failed > 0 && failed < 24)
    }
}
