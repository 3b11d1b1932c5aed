import ApusRuns
import Apus
import ApusCheckpoints
import ApusCompute
import ApusModels

/// The model that is measured: where it lies and what it asks of a machine.
struct BenchModel {
    /// A directory that the workers load.
    let directory: String
    /// What a person knows it by.
    let name: String
    let spec: DecoderSpec
    let tokenizer: Tokenizer?
    /// That of the checkpoint's own weights.
    let quantization: Quantization?
    /// Random weights, which vanish with this.
    private let synthetic: SyntheticCheckpoint?

    /// - Parameters:
    ///   - directory: of a checkpoint; `nil` for the demo model.
    ///   - synthetic: a `config.json` whose model gets random weights of floating point instead.
    init(directory: String?, synthetic: String?) throws {
        if let synthetic {
            let config = try ConfigurationFile(path: synthetic)
            spec = try DecoderSpec(config)
            let checkpoint = try SyntheticCheckpoint(config, spec)
            self.synthetic = checkpoint
            self.directory = checkpoint.directory
            name = "random weights of \(synthetic)"
            tokenizer = nil
            quantization = nil
            return
        }
        self.synthetic = nil
        guard let path = directory ?? DemoModel.directory else {
            throw RunError("the demo model is not beside this program; name a checkpoint with --model DIR")
        }
        self.directory = path
        name = directory ?? "the demo model"
        let config = try ConfigurationFile(path: path + "/config.json")
        spec = try DecoderSpec(config)
        quantization = try Quantization(storedAsIn: config)
        let hasTokenizer = try ConfigurationFile(optionalPath: path + "/tokenizer.json") != nil
        tokenizer = hasTokenizer ? try AutoTokenizer.from(pretrained: path) : nil
    }

    func prompts(_ count: Int) -> [[Int]] {
        tokenizer.map { BenchPrompts.encoded(count, by: $0) }
            ?? BenchPrompts.random(count, vocabulary: spec.vocabularySize)
    }

    /// The type that the configuration names.
    var storedType: DType {
        (try? DType(namedIn: ConfigurationFile(path: directory + "/config.json"))) ?? .bfloat16
    }

    /// Bytes of the weights in products, with the scales that integers have. The last product is never in 4 bits.
    func weightBytes(_ format: WeightFormat) -> Double {
        spec.products.reduce(0) { sum, product in
            let format = product == spec.products.last && format == .int4 ? .int8 : format
            return sum + format.byteCount(of: product) * Double(product.count)
        }
    }

    /// Bytes of keys and values that a sequence of some length reads for its next token.
    func stateBytes(length: Int, _ dtype: DType) -> Double {
        let width = dtype == .bfloat16 ? 2.0 : dtype == .int8 ? 1 + 4 / Double(spec.headDim) : 4
        return 2 * Double(spec.layers) * Double(spec.kvHeads) * Double(spec.headDim) * Double(length) * width
    }
}

extension WeightFormat {
    /// Bytes of one product's weights: elements, a scale for each output, a multiplier for each group.
    func byteCount(of product: DecoderSpec.Product) -> Double {
        // Configurations may name models that no integer counts.
        let (outputs, inputs) = (Double(product.outputs), Double(product.inputs))
        switch self {
        case .float32: return 4 * outputs * inputs
        case .float16, .bfloat16: return 2 * outputs * inputs
        case .int8: return outputs * (inputs + 4)
        case .int4: return outputs * (inputs / 2 + (inputs / Double(Self.groupSize)).rounded(.up) + 4)
        }
    }
}
