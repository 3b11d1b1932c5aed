import ApusCompute

/// One weight of a layer: what it is for, how large it is, and where a checkpoint has it.
struct LayerWeight: Sendable {
    enum Content: Sendable, Equatable {
        case matrix(outputs: Int, inputs: Int, hasBias: Bool)
        case vector(count: Int)
    }

    let role: WeightRole
    let content: Content
    /// Its module, below the layer.
    let module: String

    /// How a checkpoint in some format holds it; `nil` for a vector.
    func matrix(_ quantization: Quantization?) -> StoredMatrix? {
        guard case .matrix(let outputs, let inputs, _) = content else { return nil }
        return StoredMatrix(outputs: outputs, inputs: inputs, quantization: quantization)
    }

    /// The vectors that it consists of beside a matrix, by the last part of their names.
    var vectors: [(name: String, count: Int)] {
        switch content {
        case .matrix(let outputs, _, let hasBias): hasBias ? [("bias", outputs)] : []
        case .vector(let count): [("weight", count)]
        }
    }
}

/// The one table of what a layer has, from which loading, checks, sizes, plans and quantization follow.
extension DecoderSpec {
    func weights(of kind: LayerKind) -> [LayerWeight] {
        WeightRole.allCases.compactMap { role in
            content(role, kind).map { LayerWeight(role: role, content: $0, module: names[role]) }
        }
    }

    private func content(_ role: WeightRole, _ kind: LayerKind) -> LayerWeight.Content? {
        let (attention, mlp) = (kind.attention, kind.mlp)
        func matrix(_ outputs: Int, _ inputs: Int, _ hasBias: Bool) -> LayerWeight.Content {
            .matrix(outputs: outputs, inputs: inputs, hasBias: hasBias)
        }
        return switch role {
        case .attentionNorm, .mlpNorm: .vector(count: hiddenSize)
        case .query: matrix(attention.queryWidth, hiddenSize, attention.hasInputBias)
        case .key, .value: matrix(attention.keyWidth, hiddenSize, attention.hasInputBias)
        case .queryNorm, .keyNorm: attention.headNorm.map { _ in .vector(count: attention.headDim) }
        case .output: matrix(hiddenSize, attention.queryWidth, attention.hasOutputBias)
        case .gate, .up: matrix(mlp.width, hiddenSize, mlp.hasBias)
        case .down: matrix(hiddenSize, mlp.width, mlp.hasBias)
        }
    }
}

extension [LayerWeight] {
    /// The matrices, as a checkpoint in some format holds them.
    func matrices(_ quantization: Quantization?) -> [(weight: LayerWeight, matrix: StoredMatrix)] {
        compactMap { weight in weight.matrix(quantization).map { (weight, $0) } }
    }
}
