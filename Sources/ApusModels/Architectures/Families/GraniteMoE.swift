import ApusCheckpoints
import ApusCompute

/// Granite 3 with experts (IBM): those of all are one tensor, and their scores meet only among the chosen. Absent keys have the
/// defaults of transformers' `GraniteMoeConfig`.
enum GraniteMoE: Architecture {
    static let modelTypes = ["granitemoe"]
    static let names = ["GraniteMoeForCausalLM", "GraniteMoeModel"]

    static func decoder(_ config: ConfigurationFile) throws(CheckpointError) -> DecoderSpec {
        var spec = try Granite.decoder(config)
        spec.kinds[0].mlp.hasBias = false
        spec.kinds[0].mlp.experts = try config.experts(
            count: "num_local_experts", 8, chosen: 2, width: 11_008, score: .softmaxOfChosen,
            widthKey: "intermediate_size")
        spec.names.rename([
            .router: "block_sparse_moe.router.layer", .expertDown: "block_sparse_moe.output_linear",
        ])
        spec.names.fuse([.expertGate, .expertUp], as: "block_sparse_moe.input_linear")
        spec.names.stacked = [.expertGate, .expertUp, .expertDown]
        return spec
    }
}
