package import Apus
import ApusCheckpoints
import ApusCompute
package import ApusModels
import ApusRuns

/// The model that is measured: where it lies and what it asks of a machine.
package struct BenchModel: Sendable {
    /// A directory that the workers load.
    let directory: String
    /// What a person knows it by.
    package let name: String
    package let spec: DecoderSpec
    let tokenizer: Tokenizer?
    /// That of the checkpoint's own weights.
    package let quantization: Quantization?
    /// The type that the configuration names.
    package let storedType: DType
    /// Bytes of the matrices of its products, where they are codes of other formats.
    private let codeBytes: Int?
    /// Random weights, which vanish with this.
    private let synthetic: SyntheticCheckpoint?

    /// - Parameter name: what a person knows it by; the directory itself if `nil`.
    package init(directory: String, name: String? = nil) throws {
        synthetic = nil
        self.directory = directory
        self.name = name ?? directory
        let description = try ModelDescription(path: directory)
        spec = description.spec
        quantization = description.stored
        storedType = description.dtype
        codeBytes = description.codeByteCountOfProducts
        tokenizer = try AutoTokenizer.ifPresent(in: directory)
    }

    /// Random weights of floating point.
    ///
    /// - Parameter path: a `config.json`, whose model gets them.
    package init(randomWeightsOf path: String) throws {
        let config = try ConfigurationFile(path: path)
        spec = try DecoderSpec(config)
        let checkpoint = try SyntheticCheckpoint(config, spec)
        synthetic = checkpoint
        directory = checkpoint.directory
        name = "random weights of \(path)"
        tokenizer = nil
        quantization = nil
        storedType = try DType(namedIn: config) ?? .bfloat16
        codeBytes = nil
    }

    /// How many parameters its products have, as people write it.
    package var writtenParameterCount: String {
        let count = spec.parametersInProducts
        return count >= 1e9 ? (count / 1e9).written(2) + " billion" : (count / 1e6).written(2) + " million"
    }

    func prompts(_ count: Int) -> [[Int]] {
        tokenizer.map { BenchPrompts.encoded(count, by: $0) }
            ?? BenchPrompts.random(count, vocabulary: spec.vocabularySize)
    }

    /// Bytes of the weights in the products of a step, with the scales that integers have. The last product is never in 4
    /// bits.
    func weightBytes(_ format: WeightFormat, tokens: Int = 1) -> Double {
        if let codeBytes { return Double(codeBytes) }
        return spec.products.reduce(0) { sum, product in
            let quantized: WeightFormat = product == spec.products.last && format == .int4 ? .int8 : format
            let format: WeightFormat = product.isExact ? .float32 : quantized
            return sum + format.byteCount(of: product) * product.count(tokens: tokens)
        }
    }

    /// Bytes of keys, values and states that a sequence of some length reads for its next token.
    func stateBytes(length: Int, _ dtype: DType) -> Double {
        spec.pattern.reduce(0) { bytes, index in
            let kind = spec.kinds[index]
            guard kind.recurrent == nil else { return bytes + Double(kind.stateByteCount) }
            let width = dtype == .bfloat16 ? 2.0 : dtype == .int8 ? 1 + 4 / Double(kind.attention.headDim) : 4
            let seen = min(length, kind.attention.window ?? length)
            return bytes + 2 * Double(kind.attention.keyWidth) * Double(seen) * width
        }
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
        case .grouped(let grouping):
            return outputs / 16 * Double(grouping.panelByteCount(inputs: product.inputs))
        }
    }
}
