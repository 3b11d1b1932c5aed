/// One linear layer of a block: what it is called and how large it is.
struct ProjectionShape: Sendable {
    let name: String
    let outputs: Int
    let inputs: Int
    let hasBias: Bool
}

extension DecoderSpec {
    private var queryWidth: Int { heads * headDim }
    private var keyWidth: Int { kvHeads * headDim }

    var query: ProjectionShape { attention(names.query, queryWidth, hiddenSize) }
    var key: ProjectionShape { attention(names.key, keyWidth, hiddenSize) }
    var value: ProjectionShape { attention(names.value, keyWidth, hiddenSize) }
    var output: ProjectionShape { attention(names.output, hiddenSize, queryWidth) }
    var gate: ProjectionShape { mlp(names.gate, intermediateSize, hiddenSize) }
    var up: ProjectionShape { mlp(names.up, intermediateSize, hiddenSize) }
    var down: ProjectionShape { mlp(names.down, hiddenSize, intermediateSize) }

    /// All linear layers of a block.
    var projections: [ProjectionShape] { [query, key, value, output, gate, up, down] }

    private func attention(_ name: String, _ outputs: Int, _ inputs: Int) -> ProjectionShape {
        ProjectionShape(name: name, outputs: outputs, inputs: inputs, hasBias: attentionBias)
    }

    private func mlp(_ name: String, _ outputs: Int, _ inputs: Int) -> ProjectionShape {
        ProjectionShape(name: name, outputs: outputs, inputs: inputs, hasBias: mlpBias)
    }
}
