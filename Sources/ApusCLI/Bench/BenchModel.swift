import Apus
import ApusCheckpoints
import ApusModels

/// The model that is measured: where it lies and what it asks of a machine.
struct BenchModel {
    /// A directory that the workers load.
    let directory: String
    /// What a person knows it by.
    let name: String
    let spec: DecoderSpec
    let tokenizer: Tokenizer?
    /// Random weights, which vanish with this.
    private let synthetic: SyntheticCheckpoint?

    /// - Parameters:
    ///   - directory: of a checkpoint; `nil` for the demo model.
    ///   - synthetic: a `config.json` whose model gets random weights instead.
    init(directory: String?, synthetic: String?) throws {
        if let synthetic {
            let config = try ConfigurationFile(path: synthetic)
            spec = try DecoderSpec(config)
            let checkpoint = try SyntheticCheckpoint(config, spec)
            self.synthetic = checkpoint
            self.directory = checkpoint.directory
            name = "random weights of \(synthetic)"
            tokenizer = nil
            return
        }
        self.synthetic = nil
        guard let path = directory ?? DemoModel.directory else {
            throw CommandError("the demo model is not beside this program; name a checkpoint with --model DIR")
        }
        self.directory = path
        name = directory ?? "the demo model"
        spec = try DecoderSpec(ConfigurationFile(path: path + "/config.json"))
        let hasTokenizer = try ConfigurationFile(optionalPath: path + "/tokenizer.json") != nil
        tokenizer = hasTokenizer ? try AutoTokenizer.from(pretrained: path) : nil
    }

    func prompts(_ count: Int) -> [[Int]] {
        tokenizer.map { BenchPrompts.encoded(count, by: $0) }
            ?? BenchPrompts.random(count, vocabulary: spec.vocabularySize)
    }

    /// Bytes of the weights in products, stored in a type.
    func weightBytes(_ dtype: DType) -> Double { spec.parametersInProducts * Double(dtype.byteCount) }

    /// Bytes of keys and values that a sequence of some length reads for its next token.
    func stateBytes(length: Int, _ dtype: DType) -> Double {
        let width = dtype == .bfloat16 ? 2.0 : 4.0
        return 2 * Double(spec.layers) * Double(spec.kvHeads) * Double(spec.headDim) * Double(length) * width
    }
}
