import ApusCheckpoints

/// GPT-J (Wang & Komatsuzaki, 2021): one norm, attention and MLP beside each other, neighbouring elements turn. Absent keys
/// have the defaults of transformers' `GPTJConfig`.
enum GPTJ: Architecture {
    static let modelTypes = ["gptj"]
    static let names = ["GPTJForCausalLM", "GPTJModel"]
    static let aliases = DecoderKeys.gpt2Aliases

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try DecoderSpec(
            gpt2: config, layers: 28, hiddenSize: 4096, heads: 16, isTied: false, vocabulary: 50_400, positions: 2048)
        let headDim = spec.kinds[0].attention.headDim
        let turned = config.isNull("rotary_dim") ? headDim : try config.optionalPositive("rotary_dim") ?? 64
        guard turned % 2 == 0, turned <= headDim else {
            throw config.fault("rotary_dim", expected: "an even number up to \(headDim)", got: String(turned))
        }
        spec.rotaries = [RotarySpec(turned: turned, theta: 10_000, scaling: .none)]
        spec.rotaries[0].turnsNeighbours = true
        spec.kinds[0].residual = .parallel
        spec.kinds[0].mlpNorm = nil
        spec.headHasBias = true
        spec.names.rename([
            .query: "attn.q_proj", .key: "attn.k_proj", .value: "attn.v_proj", .output: "attn.out_proj",
            .up: "mlp.fc_in", .down: "mlp.fc_out",
        ])
        spec.names.ignoredSuffixes += [".attn.bias", ".attn.masked_bias", ".attn.causal_mask", ".embed_positions"]
        return spec
    }
}

/// CodeGen (Nijkamp et al., arXiv 2203.13474): GPT-J with one matrix for queries, values and keys, in four groups.
enum CodeGen: Architecture {
    static let modelTypes = ["codegen"]
    static let names = ["CodeGenForCausalLM", "CodeGenModel"]
    static let aliases = DecoderKeys.gpt2Aliases

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try GPTJ.decoder(config)
        guard spec.kinds[0].attention.heads % 4 == 0 else {
            throw config.fault("n_head", expected: "a multiple of 4", got: String(spec.kinds[0].attention.heads))
        }
        spec.names.fuse([.query, .value, .key], as: "attn.qkv_proj", groups: .count(4))
        return spec
    }
}
