import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusModels
import ApusTestSupport
import Testing

/// Models in GGUF files.
@Suite struct GGUFModelTests {
    /// A small Llama; matrices in Q8_0 if `isRounded`.
    private static func file(in directory: TemporaryDirectory, isRounded: Bool) throws -> String {
        try directory.write(
            isRounded ? "rounded.gguf" : "plain.gguf", GGUFBuilder.smallLlama(isRounded: isRounded).bytes)
    }

    private static let vocabulary = GGUFBuilder.smallVocabulary
    private static let tokens = (0..<40).map { $0 * 7 % vocabulary }

    @Test func codesAreNearTheFloatsThatTheyStandFor() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.file(in: directory, isRounded: true)
        let device = try CPUDevice(threads: 2)
        let codes = try DecoderModel.load(directory: path, device: device)
        let floats = try DecoderModel.load(directory: path, device: device, dtype: .float32)
        #expect(codes.formats.contains { $0.grouping?.bits == 8 })
        #expect(floats.formats == [.float32])
        let (left, right) = (try codes.logProbabilities(of: Self.tokens), try floats.logProbabilities(of: Self.tokens))
        // Inputs of 8 bits are off by 1 of 254 of the largest of 32.
        let squares = zip(left, right).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        #expect((squares / Double(left.count)).squareRoot() < 0.05)
        #expect(left != right)
        // However the prompt is cut.
        #expect(try codes.logProbabilities(of: Self.tokens, tokensPerStep: 7) == left)
    }

    @Test func neighboursTurnTogether() throws {
        let directory = try TemporaryDirectory()
        let description = try ModelDescription(path: Self.file(in: directory, isRounded: false))
        #expect(description.spec.rotaries.map(\.turnsNeighbours) == [true])
        #expect(description.spec.tiedEmbeddings)
        #expect(description.dtype == .float32)
    }

    /// The directory has the family's own names and order of rows, and every format that it may be in.
    @Test func becomesADirectory() throws {
        let directory = try TemporaryDirectory()
        let device = try CPUDevice(threads: 2)
        for isRounded in [false, true] {
            let path = try Self.file(in: directory, isRounded: isRounded)
            for format in CheckpointFormat.allCases {
                let target = directory.path + "/\(format)-\(isRounded)"
                _ = try CheckpointQuantizer(directory: path, as: format, by: device).write(
                    to: target, files: [("note.txt", "kept")])
                let written = try DecoderModel.load(directory: target, device: device)
                #expect(written.spec.rotaries.allSatisfy { !$0.turnsNeighbours })
                #expect(written.unusedWeights.isEmpty)
                let before = try DecoderModel.load(
                    directory: path, device: device, dtype: format.quantization == nil ? .bfloat16 : nil,
                    quantization: format.quantization)
                let left = try written.logProbabilities(of: Self.tokens)
                let right = try before.logProbabilities(of: Self.tokens)
                // Queries turn in another order, keys and norms are rounded: a last bit here and there.
                let squares = zip(left, right).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                #expect((squares / Double(left.count)).squareRoot() < 0.03, "\(format), \(isRounded)")
                #expect(try readFile(target + "/note.txt") == Array("kept".utf8))
            }
        }
    }

    @Test func whatIsUnknownIsNamed() throws {
        let directory = try TemporaryDirectory()
        var builder = GGUFBuilder()
        builder.values = [("general.architecture", .text("marble"))]
        let path = try directory.write("m.gguf", builder.bytes)
        #expect { try ModelDescription(path: path) } throws: {
            "\($0)".contains("general.architecture: 'marble' is not known; known are bloom, cohere2, command-r")
        }
        builder.values = []
        try directory.write("m.gguf", builder.bytes)
        #expect { try ModelDescription(path: path) } throws: {
            "\($0)".contains("general.architecture: expected a string")
        }
    }
}
