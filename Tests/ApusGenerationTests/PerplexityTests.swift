import ApusCPU
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTestSupport
import ApusTokenizers
import Foundation
import Testing

/// The demo model over stories that its training never saw (Scripts/demo/heldout.py).
@Suite struct PerplexityTests {
    private static let demo = fixtures + "/../../Sources/Apus/Demo"

    private func stories(_ tokenizer: Tokenizer) throws -> [[Int]] {
        let text = String(decoding: try readFile(fixtures + "/Demo/heldout.txt"), as: UTF8.self)
        let end = try #require(GenerationConfig(directory: Self.demo).eosTokenIDs?.first)
        return text.split(separator: "\n").map { tokenizer.encode(String($0)) + [end] }
    }

    private func perplexity(_ quantization: Quantization?, _ stories: [[Int]]) throws -> Double {
        let model = try DecoderModel.load(
            directory: Self.demo, device: CPUDevice(threads: 2), quantization: quantization)
        let logProbabilities = try stories.flatMap { try model.logProbabilities(of: $0) }
        return exp(-logProbabilities.reduce(0, +) / Double(logProbabilities.count))
    }

    @Test func integersKeepTheModel() throws {
        let stories = try stories(AutoTokenizer.from(pretrained: Self.demo))
        let tokens = stories.reduce(0) { $0 + $1.count - 1 }
        #expect(tokens > 10_000)
        let plain = try perplexity(nil, stories)
        // What transformers computes (Scripts/demo/judge.py).
        #expect(abs(plain - 1.409) < 0.005)
        for (quantization, limit) in [(Quantization.int8, 0.01), (.int4, 0.04)] {
            let rounded = try perplexity(quantization, stories)
            let rise = rounded / plain - 1
            print(
                "perplexity over \(tokens) tokens: \(plain) in bfloat16, \(rounded) in \(quantization): "
                    + "\((rise * 10_000).rounded() / 100) % more")
            #expect(rise <= limit, "\(quantization)")
            #expect(rise != 0)
        }
    }

    @Test(arguments: [(10, 4, 4), (10, 4, 2), (3, 8, 8), (1, 4, 4), (0, 4, 4), (9, 4, 4)])
    func everyTokenIsScoredOnce(_ count: Int, _ window: Int, _ stride: Int) {
        let windows = Perplexity.windows(of: count, window: window, stride: stride)
        var scored: [Int] = []
        for one in windows {
            #expect(one.tokens.count <= window && one.tokens.upperBound <= count)
            #expect(one.scored.isEmpty || one.scored.lowerBound > one.tokens.lowerBound)
            #expect(one.scored.isEmpty || one.scored.upperBound == one.tokens.upperBound)
            scored += one.scored
        }
        // Those that a window begins with have nothing before them, unless windows overlap.
        let expected = (0..<count).filter { stride < window ? $0 > 0 : $0 % window != 0 }
        #expect(scored == expected)
    }

    @Test(arguments: [1, 7, 16])
    func logProbabilitiesDoNotDependOnTheirPieces(_ piece: Int) throws {
        let model = try DecoderModel.load(directory: Self.demo, device: CPUDevice(threads: 1))
        let tokens = try #require(stories(AutoTokenizer.from(pretrained: Self.demo)).first)
        #expect(try model.logProbabilities(of: tokens, tokensPerStep: piece) == model.logProbabilities(of: tokens))
    }
}
