import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusModels
import ApusTestSupport
import Testing

@Suite struct QuantizedCheckpointTests {
    static let names = ["mha", "gqa-tied", "mqa-biases-sharded", "own-head", "head-only", "bare", "bf16", "f16"]

    private func quantize(
        _ source: String, _ quantization: Quantization, _ directory: TemporaryDirectory, threads: Int = 2,
        shards: Int = .max
    ) throws -> String {
        let target = directory.path + "/quantized"
        _ = try CheckpointQuantizer(
            directory: source, as: CheckpointFormat(quantization), by: CPUDevice(threads: threads)
        )
        .write(to: target, maximumShardByteCount: shards)
        return target
    }

    /// A fixture's checkpoint, and what it is quantized to. Both are mapped, so their files may go.
    private func checkpoints(
        _ name: String, _ quantization: Quantization
    ) throws -> (original: Checkpoint, quantized: Checkpoint) {
        let fixture = try ModelFixture.load(name)
        let directory = try TemporaryDirectory()
        return try (
            Checkpoint(directory: fixture.directory),
            Checkpoint(directory: quantize(fixture.directory, quantization, directory))
        )
    }

    private static let text = (0..<70).map { ($0 * 37 + 5) % 60 }

    @Test(arguments: names, Quantization.allCases)
    func hasTheBitsOfQuantizingAtLoad(_ name: String, _ quantization: Quantization) throws {
        let fixture = try ModelFixture.load(name)
        let device = try CPUDevice(threads: 2)
        let atLoad = try DecoderModel.load(
            directory: fixture.directory, device: device, quantization: quantization)
        let expected = try atLoad.logProbabilities(of: Self.text)
        let plain = try DecoderModel.load(directory: fixture.directory, device: device)
        #expect(try plain.logProbabilities(of: Self.text) != expected)
        for (threads, shards) in [(1, Int.max), (3, 2000)] {
            let directory = try TemporaryDirectory()
            let path = try quantize(fixture.directory, quantization, directory, threads: threads, shards: shards)
            for budget in [Int.max, 0] {
                let stored = try DecoderModel.load(
                    directory: path, device: CPUDevice(threads: threads, panelBudget: budget))
                #expect(try stored.logProbabilities(of: Self.text) == expected)
                #expect(stored.format == quantization.format)
                #expect(stored.dtype == atLoad.dtype)
                #expect(stored.unusedWeights.isEmpty)
            }
            let files = try Checkpoint(directory: path).files.count
            #expect(shards == .max ? files == 1 : files > 3)
        }
    }

    /// The definition, computed anew: x ≈ scale · value, the largest of a row at 127.
    @Test func holdsTheNearestIntegers() throws {
        let (original, quantized) = try checkpoints("mha", .int8)
        let name = "model.layers.0.mlp.down_proj.weight"
        let source = try #require(original[name])
        let target = try #require(quantized[name])
        let scales = try #require(quantized[name + "_scale"])
        #expect(target.dtype == .int8 && target.shape == source.shape && scales.shape == [source.shape[0]])
        let inputs = source.shape[1]
        for row in 0..<source.shape[0] {
            let scale = scales.withBytes { $0.loadUnaligned(fromByteOffset: row * 4, as: Float.self) }
            let weights = source.withBytes { bytes in
                (0..<inputs).map { bytes.loadUnaligned(fromByteOffset: (row * inputs + $0) * 4, as: Float.self) }
            }
            let values = target.withBytes { bytes in (0..<inputs).map { Int8(bitPattern: bytes[row * inputs + $0]) } }
            #expect(values.map { abs(Int($0)) }.max() == 127)
            for (weight, value) in zip(weights, values) {
                #expect(abs(weight - scale * Float(value)) <= scale * 0.5001)
            }
        }
    }

    @Test func keepsTheEmbeddingOfATiedHead() throws {
        let (original, quantized) = try checkpoints("gqa-tied", .int4)
        let name = "model.embed_tokens.weight"
        let kept = try #require(quantized[name])
        let stored = try #require(original[name])
        #expect(kept.dtype == stored.dtype)
        #expect(kept.withBytes { Array($0) } == stored.withBytes { Array($0) })
        #expect(quantized["lm_head.weight"]?.dtype == .int8)
    }

    // MARK: What is refused

    private struct Tensor {
        let name: String
        var dtype: String
        var shape: [Int]
        var bytes: [UInt8]
    }

    /// What loading a quantized checkpoint says whose tensors were changed: its error, or `loaded`.
    private func damaged(
        _ quantization: Quantization, version: Int? = nil, _ change: (inout [Tensor]) -> Void
    ) throws -> String {
        let directory = try TemporaryDirectory()
        let path = try quantize(ModelFixture.load("mha").directory, quantization, directory)
        let copy = try Self.changed(path, version: version, change)
        do {
            _ = try DecoderModel.load(directory: copy.path, device: CPUDevice(threads: 1))
        } catch {
            let message = "\(error)"
            #expect(message.contains(copy.path) && !message.contains("\n"), "\(message)")
            return message
        }
        return "loaded"
    }

    /// A copy of a checkpoint whose tensors were changed, perhaps of another version of the format.
    private static func changed(
        _ path: String, version: Int? = nil, _ change: (inout [Tensor]) -> Void
    ) throws -> TemporaryDirectory {
        let checkpoint = try Checkpoint(directory: path)
        var tensors = checkpoint.names.compactMap { checkpoint[$0] }.map { tensor in
            Tensor(
                name: tensor.name, dtype: tensor.dtype.rawValue, shape: tensor.shape,
                bytes: tensor.withBytes { Array($0) })
        }
        change(&tensors)
        var builder = SafetensorsBuilder()
        for tensor in tensors { builder.add(tensor.name, tensor.dtype, tensor.shape, tensor.bytes) }
        let copy = try TemporaryDirectory()
        var config = String(decoding: try readFile(path + "/config.json"), as: UTF8.self)
        if let version { config = config.replacing(#/"version": \d/#, with: "\"version\": \(version)") }
        _ = try copy.write("config.json", config)
        _ = try copy.write("model.safetensors", builder.bytes)
        return copy
    }

    private static let place = "model.layers.0.self_attn.k_proj.weight"

    @Test func loadsWhatIsNotDamaged() throws {
        for quantization in Quantization.allCases { #expect(try damaged(quantization) { _ in } == "loaded") }
    }

    @Test(arguments: ["_scale", "_multiplier", ""])
    func namesAMissingTensor(_ suffix: String) throws {
        let message = try damaged(.int4) { $0.removeAll { $0.name == Self.place + suffix } }
        #expect(message.contains("\"\(Self.place + suffix)\""), "\(message)")
    }

    @Test(arguments: [Float.nan, -.nan, .infinity, -1])
    func refusesScalesThatAreNone(_ scale: Float) throws {
        let message = try damaged(.int8) { tensors in
            for index in tensors.indices where tensors[index].name == Self.place + "_scale" {
                withUnsafeBytes(of: scale) { tensors[index].bytes.replaceSubrange(4..<8, with: $0) }
            }
        }
        #expect(message.contains("'\(Self.place)_scale': expected finite scales"), "\(message)")
    }

    /// No multiplier; values below -128 and above 127.
    @Test(arguments: [0, 0xf0, 0xff, 0x0f, 0x0a] as [UInt8], [2, 3])
    func refusesGridsOutOfBounds(_ grid: UInt8, _ version: Int) throws {
        let message = try damaged(.int4, version: version) { tensors in
            for index in tensors.indices where tensors[index].name.hasSuffix("_multiplier") {
                tensors[index].bytes = tensors[index].bytes.map { $0 & (version == 2 ? 15 : 255) }
                let last = tensors[index].bytes.count - 1
                if tensors[index].name == Self.place + "_multiplier" { tensors[index].bytes[last] = grid }
            }
        }
        if version == 2, 1...15 ~= grid { return #expect(message == "loaded") }
        #expect(message.contains("'\(Self.place)_multiplier'") && message.contains("got \(grid)"), "\(message)")
    }

    /// Grids of the second version have multipliers alone: 8 stands for nothing.
    @Test func theSecondVersionHasNoZeros() throws {
        var answers: [[Double]] = []
        for version in [2, 3] {
            let directory = try TemporaryDirectory()
            let path = try quantize(ModelFixture.load("mha").directory, .int4, directory)
            let copy = try Self.changed(path, version: version) { tensors in
                for index in tensors.indices where tensors[index].name.hasSuffix("_multiplier") {
                    tensors[index].bytes = tensors[index].bytes.map { $0 & 15 | (version == 2 ? 0 : 0x80) }
                }
            }
            answers.append(
                try DecoderModel.load(directory: copy.path, device: CPUDevice(threads: 1)).logProbabilities(
                    of: Self.text))
        }
        #expect(answers[0] == answers[1] && answers[0].allSatisfy(\.isFinite))
    }

    @Test(arguments: ["", "_scale", "_multiplier"])
    func refusesOtherShapesAndTypes(_ suffix: String) throws {
        let name = Self.place + suffix
        let flat = try damaged(.int4) { tensors in
            for index in tensors.indices where tensors[index].name == name {
                tensors[index].shape = [1] + tensors[index].shape
            }
        }
        #expect(flat.contains("\"\(name)\": expected the shape"), "\(flat)")
        let retyped = try damaged(.int4) { tensors in
            for index in tensors.indices where tensors[index].name == name {
                tensors[index].dtype = suffix == "_scale" ? "I32" : "I8"
            }
        }
        #expect(retyped.contains("'\(name)' is I") && retyped.contains("needs"), "\(retyped)")
    }

    @Test(arguments: [
        (#"{"quant_method": "hqq", "nbits": 4}"#, "hqq"), (#"{"quant_method": "quark"}"#, "quark"),
        (#"{"quant_method": 4}"#, "quantization_config.quant_method"),
        ("[]", "quantization_config"), (#"{"quant_method": "apus", "version": 3, "format": "int8"}"#, "version 3"),
        (#"{"quant_method": "apus", "version": 1, "format": "int3"}"#, "int3"),
        (#"{"quant_method": "apus", "version": 1}"#, "quantization_config.format"),
        (#"{"quant_method": "apus", "format": "int8"}"#, "quantization_config.version"),
    ])
    func namesAFormatThatItDoesNotRead(_ description: String, _ named: String) throws {
        let fixture = try ModelFixture.load("mha")
        let directory = try TemporaryDirectory()
        let config = String(decoding: try readFile(fixture.directory + "/config.json"), as: UTF8.self)
        let end = try #require(config.lastIndex(of: "}"))
        _ = try directory.write("config.json", config[..<end] + ", \"quantization_config\": \(description)}")
        _ = try directory.write("model.safetensors", readFile(fixture.directory + "/model.safetensors"))
        let error = #expect(throws: (any Error).self) {
            try DecoderModel.load(directory: directory.path, device: CPUDevice(threads: 1))
        }
        let message = error.map { "\($0)" } ?? ""
        #expect(message.contains("config.json") && message.contains(named), "\(message)")
    }

    /// Integers of the first version are of inputs as they are.
    @Test func theFirstVersionDidNotRotate() throws {
        let directory = try TemporaryDirectory()
        let gguf = try directory.write("small.gguf", GGUFBuilder.smallLlama(isRounded: false).bytes)
        let device = try CPUDevice(threads: 1)
        let plain = directory.path + "/plain"
        _ = try CheckpointQuantizer(directory: gguf, as: .bfloat16, by: device).write(to: plain)
        let checkpoint = try Checkpoint(directory: plain)
        var file = SafetensorsBuilder()
        for name in checkpoint.names {
            let tensor = try #require(checkpoint[name])
            let halves = tensor.withBytes { bytes in
                (0..<tensor.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) }
            }
            guard name.hasSuffix("_proj.weight") else {
                file.add(name, "BF16", tensor.shape, halves.withUnsafeBytes { Array($0) })
                continue
            }
            try Self.round(halves.map { HalfPrecision.float(bfloat16: $0) }, name, tensor.shape, into: &file)
        }
        let table = try #require(checkpoint["model.embed_tokens.weight"])
        let head = table.withBytes { bytes in
            (0..<table.count).map {
                HalfPrecision.float(bfloat16: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self))
            }
        }
        try Self.round(head, "lm_head.weight", table.shape, into: &file)
        let config = String(decoding: try readFile(plain + "/config.json"), as: UTF8.self)
        let end = try #require(config.lastIndex(of: "}"))
        _ = try directory.write("model.safetensors", file.bytes)
        func answers(version: Int) throws -> [Double] {
            let description = #"{"quant_method": "apus", "format": "int8", "version": \#(version)}"#
            _ = try directory.write("config.json", config[..<end] + ", \"quantization_config\": \(description)}")
            return try DecoderModel.load(directory: directory.path, device: device).logProbabilities(of: Self.short)
        }
        let exact = try DecoderModel.load(directory: plain, device: device).logProbabilities(of: Self.short)
        func error(_ version: Int) throws -> Double {
            zip(try answers(version: version), exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                / Double(exact.count)
        }
        #expect(try error(1) < 0.01)
        #expect(try error(2) > 0.1)
    }

    private static let short = (0..<40).map { $0 * 7 % GGUFBuilder.smallVocabulary }

    private static func round(
        _ values: [Float], _ name: String, _ shape: [Int], into file: inout SafetensorsBuilder
    ) throws {
        var (integers, scales): ([UInt8], [Float]) = ([], [])
        for start in stride(from: 0, to: values.count, by: shape[1]) {
            let row = values[start..<start + shape[1]]
            let scale = (row.map(abs).max() ?? 0) / 127
            scales.append(scale)
            integers += row.map { UInt8(bitPattern: Int8(($0 / scale).rounded(.toNearestOrEven))) }
        }
        file.add(name, "I8", shape, integers)
        file.add(name + "_scale", scales)
    }

    @Test func aQuantizedCheckpointKeepsItsFormat() throws {
        let directory = try TemporaryDirectory()
        let path = try quantize(ModelFixture.load("mha").directory, .int8, directory)
        let device = try CPUDevice(threads: 1)
        _ = try DecoderModel.load(directory: path, device: device, quantization: .int8)
        let error = #expect(throws: ModelError.self) {
            try DecoderModel.load(directory: path, device: device, quantization: .int4)
        }
        #expect(error?.message.contains("int8 already") == true)
        #expect(throws: ModelError.self) { try CheckpointQuantizer(directory: path, as: .int8, by: device) }
    }

    @Test func refusesWeightsThatAreNoNumbers() throws {
        let fixture = try ModelFixture.load("mha")
        let checkpoint = try Checkpoint(directory: fixture.directory)
        var builder = SafetensorsBuilder()
        for name in checkpoint.names {
            let tensor = try #require(checkpoint[name])
            var bytes = tensor.withBytes { Array($0) }
            if name == Self.place { withUnsafeBytes(of: Float.nan) { bytes.replaceSubrange(0..<4, with: $0) } }
            builder.add(name, tensor.dtype.rawValue, tensor.shape, bytes)
        }
        let directory = try TemporaryDirectory()
        _ = try directory.write("config.json", readFile(fixture.directory + "/config.json"))
        _ = try directory.write("model.safetensors", builder.bytes)
        let target = try TemporaryDirectory()
        let error = #expect(throws: CheckpointError.self) {
            try CheckpointQuantizer(directory: directory.path, as: .int4, by: CPUDevice(threads: 1))
                .write(to: target.path + "/quantized")
        }
        #expect(error?.message.contains("'\(Self.place)': output 0") == true)
        #expect(try target.names.isEmpty)
    }
}
