import ApusGeneration
import ApusTestSupport
import Foundation
import Testing

@Suite struct SamplerTests {
    private func sampler(_ config: GenerationConfig, prompt: Int = 0) throws -> Sampler {
        Sampler(try config.resolved(promptLength: 1), promptIndex: prompt)
    }

    private func choose(_ sampler: Sampler, _ logits: [Float], step: Int = 0) throws -> Sampler.Choice {
        let best = try #require(logits.firstIndex(of: logits.max() ?? .nan))
        var logits = logits
        var span = logits.mutableSpan
        let history = TokenHistory(prompt: [0], generated: Array(repeating: 0, count: step))
        return try sampler.choose(from: &span, best: best, after: history)
    }

    @Test func greedyTakesTheFirstOfTheBest() throws {
        #expect(try choose(sampler(GenerationConfig()), [1, 5, 2, 5]).token == 1)
        #expect(try choose(sampler(GenerationConfig()), [-.infinity, -3]).token == 1)
    }

    @Test func logprobsAreThoseOfTheModel() throws {
        let logits: [Float] = [0, 1, -1]
        let sum: Double = exp(0) + exp(1) + exp(-1)
        let plain = try choose(sampler(GenerationConfig(logprobs: true)), logits)
        #expect(abs(exp(try #require(plain.logprob)) - exp(1) / sum) < 1e-6)
        let penalised = GenerationConfig(repetitionPenalty: 100, eosTokenIDs: [1], logprobs: true)
        let sampled = penalised.merging(GenerationConfig(minNewTokens: 1, doSample: true, temperature: 0.1, topK: 1))
        let choice = try choose(sampler(sampled), logits)
        #expect(choice.token == 0)
        #expect(abs(exp(try #require(choice.logprob)) - 1 / sum) < 1e-6)
        #expect(try choose(sampler(GenerationConfig()), logits).logprob == nil)
    }

    /// Of any width, with logits that vanish beside the largest and some that are out of the question.
    @Test func logprobsAreExactToAMillionth() throws {
        var random = SplitMix64(seed: 11)
        for size in [1, 15, 16, 17, 511, 513, 2048, 50_257, 128_256] {
            let spread = Float.random(in: 0.1...40, using: &random)
            let shift = Float.random(in: -90...90, using: &random)
            var logits = (0..<size).map { _ in Float.random(in: -spread...spread, using: &random) + shift }
            if size > 2 { logits[size / 2] = -.infinity }
            let largest = logits.max() ?? 0
            let sum = logits.reduce(0.0) { $0 + exp(Double($1) - Double(largest)) }
            let choice = try choose(sampler(GenerationConfig(logprobs: true)), logits)
            #expect(abs(try #require(choice.logprob) + log(sum)) < 1e-6, "\(size)")
        }
    }

    @Test func refusesToChooseWhereNothingIsLeft() throws {
        let hopeless = GenerationConfig(minNewTokens: 1, eosTokenIDs: [0, 1])
        for config in [hopeless, hopeless.merging(GenerationConfig(doSample: true))] {
            let error = try #require(throws: GenerationError.self) { try choose(sampler(config), [1, 2]) }
            #expect(error.code == .invalidLogits)
        }
    }

    @Test func dependsOnSeedPromptAndStepOnly() throws {
        let logits = (0..<1000).map { Float($0 % 7) }
        func tokens(_ seed: UInt64, _ prompt: Int) throws -> [Int] {
            let sampler = try sampler(GenerationConfig(doSample: true, topK: 0, seed: seed), prompt: prompt)
            return try (0..<20).map { try choose(sampler, logits, step: $0).token }
        }
        #expect(try tokens(1, 2) == tokens(1, 2))
        #expect(try tokens(1, 2) != tokens(1, 3))
        #expect(try tokens(1, 2) != tokens(2, 2))
        #expect(Set(try tokens(1, 2)).count > 10)
    }

    /// Pearson's test: 7 degrees of freedom, 0.1 % of fair samplers exceed 24.3.
    @Test(arguments: [UInt64](1...5)) func followsTheDistribution(_ seed: UInt64) throws {
        let logits: [Float] = [0.5, -1, 2, -.infinity, 0, 1.5, -2, 1, 0.25]
        let weights = logits.map { exp(Double($0) / 0.8) }
        let total = weights.reduce(0, +)
        let config = GenerationConfig(doSample: true, temperature: 0.8, topK: 0, seed: seed)
        var counts = Array(repeating: 0.0, count: logits.count)
        let draws = 20_000
        for draw in 0..<draws {
            counts[try choose(sampler(config, prompt: draw / 4), logits, step: draw % 4).token] += 1
        }
        #expect(counts[3] == 0)
        var statistic = 0.0
        for token in logits.indices where token != 3 {
            let expected = weights[token] / total * Double(draws)
            statistic += (counts[token] - expected) * (counts[token] - expected) / expected
        }
        #expect(statistic < 24.3)
    }
}
