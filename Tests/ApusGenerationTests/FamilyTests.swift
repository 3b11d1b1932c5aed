import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusJSON
import ApusModels
import ApusTestSupport
import Testing

/// One small model of every family, whose weights follow from their names (Tests/Fixtures/Families/make.py).
@Suite struct FamilyTests {
    private static let path = fixtures + "/Families/families.json"
    private static let all = (try? readFile(path)).flatMap { file in
        try? file.withUnsafeBytes { try JSONValue(parsing: $0) }.object
    }
    static let names = all?.members.map(\.key) ?? []

    /// A checkpoint's directory, and what the fixture says of it.
    private func checkpoint(_ family: String) throws -> (TemporaryDirectory, JSONValue) {
        let fixture = try #require(Self.all?[family])
        let directory = try TemporaryDirectory()
        _ = try directory.write("config.json", try #require(fixture["config"]).serialized)
        var builder = SafetensorsBuilder()
        for tensor in fixture["tensors"]?.object?.members ?? [] {
            let numbers = try #require(tensor.value.array).compactMap(\.double)
            let shape = numbers.dropFirst(2).map { Int($0) }
            let (base, spread) = (Float(numbers[0]), Float(numbers[1]))
            var generator = SplitMix64(seed: Self.hash(tensor.key))
            let elements = (0..<shape.reduce(1, *)).map { _ in
                base + spread * (Float(generator.next() >> 40) / 0x1p23 - 1)
            }
            builder.add(tensor.key, elements, shape: shape)
        }
        _ = try directory.write("model.safetensors", builder.bytes)
        return (directory, fixture)
    }

    /// FNV-1a of 64 bits.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    @Test func everyFamilyHasOne() {
        // Two are known by no reference, and checked as what they equal.
        let missing = Set(DecoderSpec.modelTypes).subtracting(Self.names).subtracting(["llama", "internlm2", "minicpm"])
        #expect(missing.isEmpty)
    }

    @Test(arguments: names)
    func answersAsTransformersDoes(_ family: String) async throws {
        let (directory, fixture) = try checkpoint(family)
        let model = try DecoderModel.load(directory: directory.path, device: CPUDevice(threads: 2))
        #expect(model.unusedWeights.isEmpty)
        let stored = Set((fixture["tensors"]?.object?.members ?? []).map(\.key))
        #expect(Set(model.spec.weightShapes.map(\.name)).symmetricDifference(stored).isEmpty)

        let text = (fixture["text"]?.array ?? []).compactMap(\.integer)
        let expected = (fixture["text_logprobs"]?.array ?? []).compactMap(\.double)
        let got = try model.logProbabilities(of: text)
        #expect(got.count == expected.count && !got.isEmpty)
        #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-4 })
        // Wherever it is cut.
        #expect(try model.logProbabilities(of: text, tokensPerStep: 7) == got)

        let tokens = (fixture["tokens"]?.array ?? []).compactMap(\.integer)
        let engine = try Engine(model, limits: .init(sequences: 2, tokensPerStep: 16, blocks: 20))
        let config = GenerationConfig(maxNewTokens: tokens.count, logprobs: true)
        let prompt = Array(text.prefix(try #require(fixture["prompt"]?.integer)))
        let output = try await engine.generate([
            GenerationRequest(
                promptTokens: prompt, config: try config.resolved(promptLength: prompt.count), promptIndex: 0)
        ])
        #expect(output[0].tokenIDs == tokens)
        let logprobs = (fixture["logprobs"]?.array ?? []).compactMap(\.double)
        #expect(zip(try #require(output[0].logprobs), logprobs).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// Its quantized checkpoint has the bits of quantizing when it is loaded.
    @Test(arguments: names, Quantization.allCases)
    func quantizedAheadHasTheSameBits(_ family: String, _ quantization: Quantization) throws {
        let (directory, fixture) = try checkpoint(family)
        let text = (fixture["text"]?.array ?? []).compactMap(\.integer)
        let device = try CPUDevice(threads: 2)
        let atLoad = try DecoderModel.load(directory: directory.path, device: device, quantization: quantization)
        let target = try TemporaryDirectory()
        _ = try CheckpointQuantizer(directory: directory.path, as: CheckpointFormat(quantization), by: device)
            .write(to: target.path + "/quantized")
        let ahead = try DecoderModel.load(directory: target.path + "/quantized", device: device)
        #expect(ahead.unusedWeights.isEmpty)
        #expect(try ahead.logProbabilities(of: text) == atLoad.logProbabilities(of: text))
    }

    /// What every matrix is multiplied with is found again when it is rounded, wherever a family stores it. Experts that nothing
    /// chose have none.
    @Test(arguments: names)
    func isRoundedByWhatItReads(_ family: String) async throws {
        let (directory, fixture) = try checkpoint(family)
        let text = (fixture["text"]?.array ?? []).compactMap(\.integer)
        let moments = InputMoments()
        let device = try CPUDevice(threads: 2, moments: moments)
        let plain = try DecoderModel.load(directory: directory.path, device: CPUDevice(threads: 2))
        let watched = try DecoderModel.load(directory: directory.path, device: device)
        #expect(try watched.logProbabilities(of: text) == plain.logProbabilities(of: text))
        let target = try TemporaryDirectory()
        func quantized(_ name: String, _ moments: InputMoments?) throws -> [UInt8] {
            let outcome = try CheckpointQuantizer(directory: directory.path, as: .int4, by: device, moments: moments)
                .write(to: target.path + "/" + name)
            #expect(outcome.unread.allSatisfy { $0.contains("expert") }, "\(outcome.unread)")
            let model = try DecoderModel.load(directory: target.path + "/" + name, device: CPUDevice(threads: 1))
            #expect(try model.logProbabilities(of: text).allSatisfy(\.isFinite))
            return try readFile(target.path + "/" + name + "/model.safetensors")
        }
        #expect(try quantized("read", moments) != quantized("nearest", nil))
    }
}
