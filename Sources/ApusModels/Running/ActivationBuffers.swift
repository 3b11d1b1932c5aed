import ApusCompute

/// What a step writes on one device, kept from step to step.
struct ActivationBuffers: Sendable {
    /// The rows of one step. All float32, all [tokens, …].
    struct View: Sendable {
        let hidden: Tensor  // [tokens, hiddenSize]
        let query, attended: Tensor  // [tokens, heads · headDim]
        let key, value: Tensor  // [tokens, kvHeads · headDim]
        let gated: Tensor  // [tokens, intermediateSize]
    }

    private let whole: View

    init(_ limits: StepLimits, _ spec: DecoderSpec, on device: any Device) throws {
        func rows(_ width: Int) throws -> Tensor { try device.makeTensor([limits.tokens, width]) }
        let queries = spec.heads * spec.headDim
        let keys = spec.kvHeads * spec.headDim
        whole = View(
            hidden: try rows(spec.hiddenSize), query: try rows(queries),
            attended: try rows(queries), key: try rows(keys), value: try rows(keys),
            gated: try rows(spec.intermediateSize))
    }

    func view(tokens: Int) throws -> View {
        View(
            hidden: try whole.hidden.prefix(rows: tokens), query: try whole.query.prefix(rows: tokens),
            attended: try whole.attended.prefix(rows: tokens),
            key: try whole.key.prefix(rows: tokens), value: try whole.value.prefix(rows: tokens),
            gated: try whole.gated.prefix(rows: tokens))
    }
}

/// What a step writes on the head's device for those of its tokens whose logits are asked for.
struct OutputBuffers: Sendable {
    private let hidden: Tensor  // [outputs, hiddenSize]
    private let logits: Tensor  // [outputs, vocabularySize]

    init(_ limits: StepLimits, _ spec: DecoderSpec, on device: any Device) throws {
        hidden = try device.makeTensor([limits.outputs, spec.hiddenSize])
        logits = try device.makeTensor([limits.outputs, spec.vocabularySize])
    }

    func view(outputs: Int) throws -> (hidden: Tensor, logits: Tensor) {
        (try hidden.prefix(rows: outputs), try logits.prefix(rows: outputs))
    }
}
