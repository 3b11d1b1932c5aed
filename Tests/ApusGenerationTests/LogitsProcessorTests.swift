import ApusGeneration
import ApusTestSupport
import Foundation
import Testing

@Suite struct LogitsProcessorTests {
    private let history = TokenHistory(prompt: [0])

    private func run(_ processor: some LogitsProcessor, _ logits: [Float], _ history: TokenHistory? = nil) -> [Float] {
        var logits = logits
        var span = logits.mutableSpan
        processor.process(&span, history ?? self.history)
        return logits
    }

    private func kept(_ logits: [Float]) -> [Int] { logits.indices.filter { logits[$0] > -.infinity } }

    /// Logits with many ties and some dropped tokens.
    private func randomLogits(_ count: Int, _ generator: inout SplitMix64) -> [Float] {
        (0..<count).map { _ in
            generator.below(20) == 0 ? -.infinity : Float(generator.below(4000)) / 250 - 8
        }
    }

    @Test func topKKeepsTies() {
        #expect(kept(run(TopK(1), [1, 3, 2, 3])) == [1, 3])
        #expect(kept(run(TopK(3), [2, 3, 2, 3, 1])) == [0, 1, 2, 3])
        #expect(kept(run(TopK(9), [2, 3])) == [0, 1])
    }

    @Test func topKEqualsASort() {
        var generator = SplitMix64(seed: 1)
        for count in [1, 2, 7, 100, 5000] {
            for k in [1, 2, 50, 999] {
                let logits = randomLogits(count, &generator)
                let threshold = logits.sorted(by: >)[min(k, count) - 1]
                let expected = logits.map { $0 < threshold ? -.infinity : $0 }
                #expect(run(TopK(k), logits) == expected)
            }
        }
    }

    @Test func topPKeepsTheBestOfTiesWithTheHighestIds() {
        #expect(kept(run(TopP(0.5), [1, 1, 1, 1])) == [2, 3])
        #expect(kept(run(TopP(0), [1, 1, 0])) == [1])
        #expect(kept(run(TopP(0.01), [0, 5, 1])) == [1])
        #expect(kept(run(TopP(0.9999), [-.infinity, 0, 0])) == [1, 2])
    }

    /// The definition, by a full sort and sums in float64.
    private func sortedTopP(_ p: Double, _ logits: [Float]) -> (kept: Set<Int>, distance: Double) {
        let order = logits.indices.sorted { (logits[$0], $0) < (logits[$1], $1) }
        let weights = order.map { exp(Double(logits[$0])) }
        let total = weights.reduce(0, +)
        var (sum, kept, distance) = (0.0, Set([order[order.count - 1]]), 1.0)
        for (position, token) in order.enumerated() {
            sum += weights[position]
            distance = min(distance, abs(sum / total - (1 - p)))
            if sum / total > 1 - p { kept.insert(token) }
        }
        return (kept, distance)
    }

    @Test func topPEqualsASort() {
        var generator = SplitMix64(seed: 2)
        var compared = 0
        for count in [1, 3, 33, 1000, 20_000] {
            for p in [0.0, 0.1, 0.5, 0.9, 0.99] {
                for _ in 0..<4 {
                    let logits = randomLogits(count, &generator)
                    guard logits.contains(where: { $0 > -.infinity }) else { continue }
                    let (expected, distance) = sortedTopP(p, logits)
                    // Nearer to the boundary than float32 weights resolve, either answer is right.
                    guard distance > 1e-6 || p == 0 else { continue }
                    compared += 1
                    #expect(Set(kept(run(TopP(p), logits))) == expected)
                }
            }
        }
        #expect(compared > 60)
    }

    @Test func topPSurvivesSortedAndEqualInput() {
        let rising: [Float] = (0..<50_000).map { Float($0) / 1e5 }
        let equal = [Float](repeating: 1, count: 50_000)
        for logits in [rising, Array(rising.reversed()), equal] {
            let count = kept(run(TopP(0.5), logits)).count
            #expect(count > 10_000 && count <= 25_001)
        }
    }

    @Test func minPKeepsTheBest() {
        #expect(kept(run(MinP(1), [1, 3, 2, 3])) == [1, 3])
        #expect(kept(run(MinP(0), [1, 3, -50, -.infinity])) == [0, 1, 2])
        #expect(kept(run(MinP(0.5), [0, -0.6, -0.8])) == [0, 1])
    }

    @Test func repetitionPenaltyCountsATokenOnce() {
        let history = TokenHistory(prompt: [0, 1], generated: [1, 0, 99, -1])
        #expect(run(RepetitionPenalty(2), [4, -4, 1], history) == [2, -8, 1])
    }

    @Test func occurrencesCountInWhatIsNewAlone() {
        let history = TokenHistory(prompt: [0, 1], generated: [1, 2, 2, 9])
        let penalty = OccurrencePenalty(presence: 0.5, frequency: 0.25)
        #expect(run(penalty, [1, 1, 1, 1], history) == [1, 0.25, 0, 1])
    }

    @Test func biasesAreAdded() {
        #expect(run(LogitBias([0: -1, 2: 3, 7: 1]), [1, 1, 1]) == [0, 1, 4])
    }

    @Test func noRunOfTokensComesTwice() {
        let history = TokenHistory(prompt: [1, 2, 3], generated: [1, 2])
        #expect(kept(run(NoRepeatNGram(3), [0, 0, 0, 0], history)) == [0, 1, 2])
        #expect(kept(run(NoRepeatNGram(1), [0, 0, 0, 0], history)) == [0])
        #expect(kept(run(NoRepeatNGram(6), [0, 0, 0, 0], history)) == [0, 1, 2, 3])
    }

    @Test func badWordsLoseTheirLastToken() {
        let history = TokenHistory(prompt: [5], generated: [1, 2])
        let words = BadWords([[0], [2, 1], [1, 2, 3], [9, 9, 9, 9, 2], [4], [77]], eosTokenIDs: [4])
        #expect(kept(run(words, [0, 0, 0, 0, 0], history)) == [2, 4])
        #expect(kept(run(BadWords([[1, 0]], eosTokenIDs: []), [0, 0], TokenHistory(prompt: [2]))) == [0, 1])
    }

    /// Of probabilities 1/2, 1/4, 1/8, 1/8, the second's information is nearest to the entropy of 7/4 bits.
    @Test func typicalTokensAreNearTheEntropy() {
        let logits = [0.5, 0.25, 0.125, 0.125].map { Float(Foundation.log($0)) }
        #expect(kept(run(TypicalP(0.2), logits)) == [1])
        #expect(kept(run(TypicalP(0.3), logits)) == [0, 1])
        #expect(kept(run(TypicalP(0.99), logits)) == [0, 1, 2, 3])
    }

    @Test func minNewTokensHoldsEndTokensBack() {
        let processor = MinNewTokens(2, eosTokenIDs: [1, 7])
        #expect(kept(run(processor, [1, 2, 3], TokenHistory(prompt: [0, 0, 0], generated: [0]))) == [0, 2])
        #expect(kept(run(processor, [1, 2, 3], TokenHistory(prompt: [0], generated: [0, 0]))) == [0, 1, 2])
    }

    @Test func theChainHoldsOnlyWhatIsAskedFor() throws {
        func names(_ config: GenerationConfig) throws -> [String] {
            LogitsProcessorChain(try config.resolved(promptLength: 1)).processors.map { "\(type(of: $0))" }
        }
        #expect(try names(GenerationConfig()) == [])
        #expect(try names(GenerationConfig(temperature: 2, topK: 3, topP: 0.5, minP: 0.1)) == [])
        #expect(try names(GenerationConfig(doSample: true)) == ["TopK"])
        #expect(try names(GenerationConfig(doSample: true, topK: 0)) == [])
        let all = GenerationConfig(
            minNewTokens: 1, doSample: true, temperature: 2, topK: 3, topP: 0.5, minP: 0.1, repetitionPenalty: 1.1,
            eosTokenIDs: [1])
        #expect(try names(all) == ["RepetitionPenalty", "MinNewTokens", "Temperature", "TopK", "TopP", "MinP"])
    }
}
