import ApusCompute

/// What a step writes on one device, kept from step to step: each buffer as wide as the widest kind of layer needs it.
struct ActivationBuffers: Sendable {
    /// The rows of one step, as a kind of layer sees them. All float32, all [tokens, …].
    struct View: Sendable {
        let hidden: Tensor  // [tokens, hiddenSize]
        /// `attended` is what the last product of attention, or of what stands in its place, takes.
        let query, attended: Tensor  // [tokens, heads · headDim]
        let key, value: Tensor  // [tokens, kvHeads · headDim]
        let gated: Tensor  // [tokens, width of the MLP]
        /// What a branch gives before its norm, if it has one: [tokens, hiddenSize]
        let branch: Tensor?
        /// Of experts, and of the shared one: [tokens, experts], [tokens, 1]
        let scores, sharedScores: Tensor?
        /// What experts beside an MLP give: [tokens, hiddenSize]
        let beside: Tensor?
        /// What the layers get beside the hidden state, and what one makes of its own: [tokens, layers · width], [tokens, width]
        let perLayer, perLayerGated: Tensor?
        /// What attention's results, or those of what stands in its place, are multiplied with.
        let gate: Tensor?
        let mixer: Mixer?
    }

    /// What stands in the place of attention works on.
    struct Mixer: Sendable {
        let mixed, second: Tensor  // [tokens, width of what is convolved]
        let forgetting, learning: Tensor  // [tokens, heads]
    }

    private let hidden, query, attended, key, value, gated: Tensor
    private let branch, embedded, scores, sharedScores, beside, perLayer, perLayerGated, gate: Tensor?
    private let mixer: Mixer?

    init(_ limits: StepLimits, _ spec: DecoderSpec, on device: any Device) throws {
        func rows(_ width: Int) throws -> Tensor { try device.makeTensor([limits.tokens, width]) }
        let widths = spec.activationWidths
        hidden = try rows(spec.hiddenSize)
        query = try rows(widths.query)
        attended = try rows(widths.attended)
        key = try rows(widths.key)
        value = try rows(widths.key)
        gated = try rows(widths.gated)
        func some(_ width: Int) throws -> Tensor? { width > 0 ? try rows(width) : nil }
        branch = try some(widths.branch)
        embedded = try some(widths.embedded)
        scores = try some(widths.experts)
        sharedScores = try some(widths.experts > 0 ? 1 : 0)
        beside = try some(widths.beside)
        perLayer = try some(widths.perLayer * spec.layers)
        perLayerGated = try some(widths.perLayer)
        gate = try some(widths.gate)
        mixer =
            widths.mixed > 0
            ? Mixer(
                mixed: try rows(widths.mixed), second: try rows(widths.mixed), forgetting: try rows(widths.decay),
                learning: try rows(widths.decay)) : nil
    }

    func view(tokens: Int, _ kind: LayerKind) throws -> View {
        func rows(_ buffer: Tensor, _ width: Int) throws -> Tensor {
            try Tensor(memory: buffer.memory, shape: Shape([tokens, width]), dtype: .float32)
        }
        let widths = kind.mixerWidths
        return View(
            hidden: try hidden(tokens: tokens), query: try rows(query, widths.query),
            attended: try rows(attended, widths.attended), key: try rows(key, widths.key),
            value: try rows(value, widths.key),
            gated: try rows(gated, kind.mlp.isDense ? kind.mlp.width : 0),
            branch: try branch?.prefix(rows: tokens),
            scores: try kind.mlp.experts.flatMap { experts in try scores.map { try rows($0, experts.count) } },
            sharedScores: try sharedScores?.prefix(rows: tokens), beside: try beside?.prefix(rows: tokens),
            perLayer: try perLayer(tokens: tokens), perLayerGated: try perLayerGated?.prefix(rows: tokens),
            gate: try gate.map { try rows($0, widths.gate) },
            mixer: try mixer.map {
                Mixer(
                    mixed: try rows($0.mixed, widths.mixed), second: try rows($0.second, widths.mixed),
                    forgetting: try rows($0.forgetting, widths.decay), learning: try rows($0.learning, widths.decay))
            })
    }

    func hidden(tokens: Int) throws -> Tensor { try hidden.prefix(rows: tokens) }

    func perLayer(tokens: Int) throws -> Tensor? { try perLayer?.prefix(rows: tokens) }

    /// Embedded tokens on their way to the hidden size: [tokens, width of the embedding]
    func embedded(tokens: Int) throws -> Tensor? { try embedded?.prefix(rows: tokens) }
}

/// What a step writes on the head's device for those of its tokens whose logits are asked for.
struct OutputBuffers: Sendable {
    struct View: Sendable {
        let hidden: Tensor  // [outputs, hiddenSize]
        /// Hidden states on their way to the head, if its width is another: [outputs, width of the embedding]
        let projected: Tensor?
        let logits: Tensor  // [outputs, vocabularySize]
    }

    private let whole: View

    init(_ limits: StepLimits, _ spec: DecoderSpec, on device: any Device) throws {
        func rows(_ width: Int) throws -> Tensor { try device.makeTensor([limits.outputs, width]) }
        let width = spec.activationWidths.embedded
        whole = View(
            hidden: try rows(spec.hiddenSize), projected: width > 0 ? try rows(width) : nil,
            logits: try rows(spec.vocabularySize))
    }

    func view(outputs: Int) throws -> View {
        View(
            hidden: try whole.hidden.prefix(rows: outputs), projected: try whole.projected?.prefix(rows: outputs),
            logits: try whole.logits.prefix(rows: outputs))
    }
}
