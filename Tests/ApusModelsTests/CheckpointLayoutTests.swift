import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusModels
import ApusTestSupport
import Testing

/// Checkpoints that hold a model otherwise than its configuration says. What they answer is in their fixtures.
@Suite struct CheckpointLayoutTests {
    private func load(_ directory: String) throws -> DecoderModel {
        try DecoderModel.load(directory: directory, device: CPUDevice(threads: 1))
    }

    private static let text = (0..<40).map { ($0 * 37 + 5) % 60 }

    @Test func aHeadOfItsOwnIsRemarkedOn() throws {
        let own = try load(ModelFixture.load("own-head").directory)
        #expect(!own.spec.tiedEmbeddings && own.remarks.count == 1)
        #expect(own.remarks.first?.contains("'lm_head' of its own") == true)
        for name in ["head-only", "gqa-tied", "mha", "bare"] {
            let model = try load(ModelFixture.load(name).directory)
            #expect(model.remarks.isEmpty && model.unusedWeights.isEmpty)
        }
    }

    @Test func theSameHeadStoredTwiceIsTied() throws {
        let fixture = try ModelFixture.load("gqa-tied")
        let copy = try fixture.copy { tensor, name, builder in
            builder.add(name, tensor.dtype.rawValue, tensor.shape, tensor.withBytes { Array($0) })
            guard name == "model.embed_tokens.weight" else { return }
            builder.add("lm_head.weight", tensor.dtype.rawValue, tensor.shape, tensor.withBytes { Array($0) })
        }
        let model = try load(copy.path)
        #expect(model.spec.tiedEmbeddings && model.remarks.isEmpty && model.unusedWeights.isEmpty)
        #expect(try model.logProbabilities(of: Self.text) == load(fixture.directory).logProbabilities(of: Self.text))
    }

    @Test func elementsOfFloat64AreConverted() throws {
        let fixture = try ModelFixture.load("mqa-biases-sharded")
        let copy = try fixture.copy { tensor, name, builder in
            builder.add(name, "F64", tensor.shape, tensor.floats.map(Double.init).withUnsafeBytes { Array($0) })
        }
        let model = try load(copy.path)
        #expect(model.dtype == .float32)
        let expected = try load(fixture.directory).logProbabilities(of: Self.text)
        #expect(try model.logProbabilities(of: Self.text) == expected)
    }

    @Test(arguments: [
        ("half", DType.float16), ("float", .float32), ("float64", .float32), ("double", .float32),
        ("bfloat16", .bfloat16),
        ("torch.float16", .float16),
    ])
    func typesHaveTorchsNames(_ name: String, _ dtype: DType) throws {
        let directory = try TemporaryDirectory()
        for key in ["dtype", "torch_dtype"] {
            let config = try ConfigurationFile(path: directory.write("config.json", #"{"\#(key)": "\#(name)"}"#))
            #expect(try DType(namedIn: config) == dtype)
        }
        let odd = try ConfigurationFile(path: directory.write("config.json", #"{"dtype": "int8"}"#))
        #expect(throws: ModelError.self) { try DType(namedIn: odd) }
        let none = try ConfigurationFile(path: directory.write("config.json", #"{"dtype": "auto"}"#))
        #expect(try DType(namedIn: none) == nil)
    }
}
