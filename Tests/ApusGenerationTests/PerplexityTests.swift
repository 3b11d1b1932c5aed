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

    @Test(arguments: [1, 7, 16])
    func logProbabilitiesDoNotDependOnTheirPieces(_ piece: Int) throws {
        let model = try DecoderModel.load(directory: Self.demo, device: CPUDevice(threads: 1))
        let tokens = try #require(stories(AutoTokenizer.from(pretrained: Self.demo)).first)
        #expect(try model.logProbabilities(of: tokens, tokensPerStep: piece) == model.logProbabilities(of: tokens))
    }
}
