import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusModels

/// Weights, `config.json` and `generation_config.json`, and the model that they make.
struct CheckpointSubject: FuzzSubject {
    let device: CPUDevice

    func exercise(_ directory: String) throws {
        let config = try readConfiguration(directory)
        let checkpoint = try Checkpoint(directory: directory)
        try readWeights(checkpoint)
        try walk(checkpoint, config)
        try run(DecoderModel.load(directory: directory, device: device))
    }

    fileprivate func load(_ path: String) throws { try run(DecoderModel.load(directory: path, device: device)) }

    /// One step over three tokens: weights of any values give logits, if only NaN.
    private func run(_ model: DecoderModel) throws {
        var batch = ForwardBatch()
        batch.tokens = [0, 1, 2]
        batch.positions = [0, 1, 2]
        batch.rotaryLengths = [3, 3, 3]
        batch.sequences = [0, 0, 0]
        batch.slots = [0, 1, 2]
        batch.setTable(of: 0, [0])
        batch.outputs = [2]
        let limits = StepLimits(tokens: 3, outputs: 1, sequences: 1, blocksPerSequence: 1, blocks: 1)
        let logits = try ModelRun(model, limits).logits(of: batch)
        guard logits.count == model.spec.vocabularySize else {
            throw FuzzFinding(description: "\(logits.count) logits of \(model.spec.vocabularySize) tokens")
        }
    }

    /// Touches the ends of every tensor: beyond the mapping this would be a fault of the process.
    private func readWeights(_ checkpoint: Checkpoint) throws {
        var total = 0
        for name in checkpoint.names {
            guard let tensor = checkpoint[name] else {
                throw FuzzFinding(description: "\(name) is named but not there")
            }
            let bits = tensor.codes == nil ? tensor.count * tensor.dtype.bitCount : tensor.byteCount * 8
            let touched = tensor.withBytes { bytes in
                bytes.isEmpty ? 0 : Int(bytes[0]) + Int(bytes[bytes.count - 1])
            }
            guard bits == tensor.byteCount * 8, touched >= 0 else {
                throw FuzzFinding(description: "\(tensor) has \(tensor.byteCount) bytes")
            }
            total += tensor.byteCount
        }
        guard total == checkpoint.byteCount else { throw FuzzFinding(description: "the tensors' sizes do not add up") }
    }

    private func walk(_ checkpoint: Checkpoint, _ config: ConfigurationFile) throws {
        let weights = WeightCursor(checkpoint)
        let hidden = try config.positive("hidden_size")
        // Saved from the base model, names lack its prefix.
        let body = weights.contains("layers.0.input_layernorm.weight") ? weights : weights["model"]
        let embedding = body["embed_tokens"]
        _ = try embedding.optionalTensor("weight", shape: [config.positive("vocab_size"), hidden])
        for layer in 0..<min(100, try config.positive("num_hidden_layers")) {
            body["layers"][layer].expect("input_layernorm.weight", shape: [hidden])
        }
        _ = weights.unusedNames
        try weights.verify()
    }

    private func readConfiguration(_ directory: String) throws -> ConfigurationFile {
        let config = try ConfigurationFile(path: directory + "/config.json")
        var product = 1
        for key in ["hidden_size", "num_hidden_layers", "num_attention_heads"] { product *= try config.positive(key) }
        _ = try config.optionalDouble("rope_theta")
        _ = try config.optionalBool("tie_word_embeddings")
        _ = try config.strings("architectures")
        _ = try config.optionalObject("rope_scaling")?.optionalString("rope_type")
        let generation = try GenerationConfig(directory: directory)
        _ = try generation.resolved(promptLength: 3, maxPositions: config.optionalPositive("max_position_embeddings"))
        return config
    }
}

/// A GGUF file, and the model that it makes.
struct GGUFSubject: FuzzSubject {
    let model: CheckpointSubject

    func exercise(_ directory: String) throws { try model.load(directory + "/model.gguf") }
}
