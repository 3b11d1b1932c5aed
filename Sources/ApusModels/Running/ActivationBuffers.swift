import ApusCompute

/// What a step writes on one device, kept from step to step: each buffer as wide as the widest kind of layer needs it.
struct ActivationBuffers: Sendable {
    /// The rows of one step, as a kind of layer sees them. All float32, all [tokens, …].
    struct View: Sendable {
        let hidden: Tensor  // [tokens, hiddenSize]
        let query, attended: Tensor  // [tokens, heads · headDim]
        let key, value: Tensor  // [tokens, kvHeads · headDim]
        let gated: Tensor  // [tokens, width of the MLP]
    }

    private let hidden, query, attended, key, value, gated: Tensor

    init(_ limits: StepLimits, _ spec: DecoderSpec, on device: any Device) throws {
        func rows(_ width: Int) throws -> Tensor { try device.makeTensor([limits.tokens, width]) }
        let widths = spec.activationWidths
        hidden = try rows(spec.hiddenSize)
        query = try rows(widths.query)
        attended = try rows(widths.query)
        key = try rows(widths.key)
        value = try rows(widths.key)
        gated = try rows(widths.gated)
    }

    func view(tokens: Int, _ kind: LayerKind) throws -> View {
        func rows(_ buffer: Tensor, _ width: Int) throws -> Tensor {
            try Tensor(memory: buffer.memory, shape: Shape([tokens, width]), dtype: .float32)
        }
        let attention = kind.attention
        return View(
            hidden: try hidden(tokens: tokens), query: try rows(query, attention.queryWidth),
            attended: try rows(attended, attention.queryWidth), key: try rows(key, attention.keyWidth),
            value: try rows(value, attention.keyWidth), gated: try rows(gated, kind.mlp.width))
    }

    func hidden(tokens: Int) throws -> Tensor { try hidden.prefix(rows: tokens) }
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
