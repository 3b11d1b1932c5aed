package import ApusCheckpoints
import ApusCompute
import ApusJSON

/// What a GGUF file says of its model: the configuration that a checkpoint of the same family would have, and where its weights
/// stand otherwise.
package struct GGUFModel {
    package let file: GGUFFile
    private let tensors: [StoredTensor]
    let architecture: GGUFArchitecture
    let name: String

    /// Throws `CheckpointError` for a file that is none, `ModelError` (`.unsupported`) for an architecture that is not known.
    package init(path: String) throws {
        let parts = try GGUFFile.parts(path: path)
        file = parts[0]
        tensors = parts.flatMap(\.tensors)
        guard let name = try file.value("general.architecture")?.string else {
            throw CheckpointError.invalidValue("\(path): general.architecture: expected a string")
        }
        guard var architecture = GGUFArchitecture.all[name] else {
            let known = GGUFArchitecture.all.keys.sorted().joined(separator: ", ")
            throw ModelError.unsupported("\(path): general.architecture: '\(name)' is not known; known are \(known)")
        }
        if name == "llama", let experts = try file.value("llama.expert_count")?.integer, experts > 0 {
            architecture = GGUFArchitecture.mixtral
        }
        (self.name, self.architecture) = (name, architecture)
    }

    func value(_ key: String) throws -> JSONValue? { try file.value("\(name).\(key)") }

    func shape(_ tensor: String) -> [Int]? { tensors.first { $0.name == tensor }?.shape }

    func has(_ tensor: String) -> Bool { shape(tensor) != nil }

    /// The shape of a part of the first layer that has it.
    func shape(ofPart part: String) -> [Int]? {
        tensors.first { $0.name.hasPrefix("blk.") && $0.name.hasSuffix(".\(part)") }?.shape
    }

    /// That of the first matrix of floating point; bfloat16 where all are codes.
    var storedType: DType {
        let plain = tensors.first { $0.shape.count > 1 && $0.codes == nil && $0.name.hasSuffix(".weight") }
        return plain.flatMap { DType(computing: $0.dtype) } ?? .bfloat16
    }

    func floats(_ tensor: String) throws -> [Float] {
        guard let tensor = tensors.first(where: { $0.name == tensor }) else { return [] }
        return try tensor.floats()
    }

    /// The model as the file has it. Throws `ModelError` (`.unsupported`) for what its family does not have.
    package func spec() throws -> DecoderSpec {
        var spec = try DecoderSpec(configuration())
        // What it would be computed wrong without.
        let lacks = [
            (
                "a shared expert", shape(ofPart: "ffn_up_shexp.weight"),
                spec.kinds.contains { $0.mlp.experts?.shared != nil }
            ),
            ("positions that are learned", shape("position_embd.weight"), spec.embedding.positions != nil),
        ]
        if let (part, _, _) = lacks.first(where: { $0.1 != nil && !$0.2 }) {
            throw ModelError.unsupported("\(file.path): \(part): no model of \(architecture.modelType) has that")
        }
        spec.names = names(spec)
        for index in spec.kinds.indices {
            let layer = spec.pattern.firstIndex(of: index) ?? 0
            func has(_ part: String) -> Bool { self.has("blk.\(layer).\(part)") }
            spec.kinds[index].attention.hasInputBias = has("attn_q.bias") || has("attn_qkv.bias")
            spec.kinds[index].attention.hasOutputBias = has("attn_output.bias")
            spec.kinds[index].mlp.hasBias = has("ffn_up.bias")
            if spec.kinds[index].attention.headNorm?.span == .headWithListedWeights {
                spec.kinds[index].attention.headNorm?.span = .headWithOwnWeights
            }
        }
        if architecture.turnsNeighbours {
            for index in spec.rotaries.indices { spec.rotaries[index].turnsNeighbours = true }
        }
        if architecture.normsAreWhole { spec.changeEveryNorm { $0.weightOffset = 0 } }
        let factors = try floats("rope_freqs.weight")
        if let rotary = spec.rotaries.first, factors.count == rotary.turned / 2, factors.allSatisfy({ $0 > 0 }) {
            spec.rotaries[0].scaling = .factors(factors.map(Double.init))
        }
        return spec
    }

    /// The names of llama.cpp's converter for what a family has.
    private func names(_ spec: DecoderSpec) -> DecoderWeightNames {
        var names = DecoderWeightNames()
        names.bodies = [""]
        names.layers = "blk"
        names.heads = ["output"]
        names.rename(GGUFArchitecture.modules.merging(architecture.modules) { _, own in own })
        if let beside = architecture.modulesBeside, shape(ofPart: beside.tensor) != nil { names.rename(beside.modules) }
        names.sinks = "weight"
        if shape(ofPart: "attn_qkv.weight") != nil { names.fuse([.query, .key, .value], as: "attn_qkv") }
        if spec.kinds.contains(where: { $0.mlp.isGated && $0.mlp.isDense }), !has("blk.0.ffn_gate.weight"),
            has("blk.0.ffn_up.weight")
        {
            names.fuse([.gate, .up], as: "ffn_up")
        }
        if let mixer = architecture.mixer {
            names.fuse(mixer.parts, as: mixer.module)
            names.recurrentOutput = mixer.output
        }
        names.stacked = [.expertGate, .expertUp, .expertDown]
        names.ignoredSuffixes = ["rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"]
        return names
    }
}

extension DecoderSpec {
    fileprivate mutating func changeEveryNorm(_ change: (inout NormSpec) -> Void) {
        func changed(_ norm: NormSpec?) -> NormSpec? {
            guard var norm else { return nil }
            change(&norm)
            return norm
        }
        finalNorm = changed(finalNorm)
        for index in kinds.indices {
            kinds[index].attentionNorm = changed(kinds[index].attentionNorm)
            kinds[index].attentionAfterNorm = changed(kinds[index].attentionAfterNorm)
            kinds[index].mlpNorm = changed(kinds[index].mlpNorm)
            kinds[index].mlpAfterNorm = changed(kinds[index].mlpAfterNorm)
            if var norm = kinds[index].attention.headNorm {
                change(&norm.norm)
                kinds[index].attention.headNorm = norm
            }
        }
    }
}
