import ApusCompute

/// What a step writes on one device, kept from step to step and made larger when a step has more tokens: fresh memory costs
/// a fault a page.
struct ActivationBuffers: Sendable {
    /// The rows of one step. All float32, all [tokens, …].
    struct View: Sendable {
        let hidden: Tensor  // [tokens, hiddenSize]
        let query, attended: Tensor  // [tokens, heads · headDim]
        let key, value: Tensor  // [tokens, kvHeads · headDim]
        let gated: Tensor  // [tokens, intermediateSize]
        let angles: Tensor  // [tokens, 2, headDim / 2]
    }

    let capacity: Int
    private let whole: View

    init(capacity: Int, _ spec: DecoderSpec, on device: any Device) throws {
        self.capacity = capacity
        func rows(_ width: Int) throws -> Tensor { try device.makeTensor([capacity, width]) }
        let queries = spec.heads * spec.headDim
        let keys = spec.kvHeads * spec.headDim
        whole = View(
            hidden: try rows(spec.hiddenSize), query: try rows(queries),
            attended: try rows(queries), key: try rows(keys), value: try rows(keys),
            gated: try rows(spec.intermediateSize),
            angles: try device.makeTensor([capacity, 2, spec.headDim / 2]))
    }

    /// Bytes of the buffers of so many tokens. A floating-point number, since configurations may name models that no integer
    /// counts.
    static func byteCount(tokens: Int, _ spec: DecoderSpec) -> Double {
        let heads = Double(2 * spec.heads + 2 * spec.kvHeads + 1) * Double(spec.headDim)
        return 4 * Double(tokens) * (Double(spec.hiddenSize) + heads + Double(spec.intermediateSize))
    }

    func view(tokens: Int) throws -> View {
        View(
            hidden: try whole.hidden.prefix(rows: tokens), query: try whole.query.prefix(rows: tokens),
            attended: try whole.attended.prefix(rows: tokens),
            key: try whole.key.prefix(rows: tokens), value: try whole.value.prefix(rows: tokens),
            gated: try whole.gated.prefix(rows: tokens),
            angles: try whole.angles.prefix(rows: tokens))
    }
}

/// What a step writes for those of its tokens whose logits are asked for, kept as `ActivationBuffers` are.
struct OutputBuffers: Sendable {
    let capacity: Int
    private let hidden: Tensor  // [outputs, hiddenSize]
    private let logits: Tensor  // [outputs, vocabularySize]

    init(capacity: Int, _ spec: DecoderSpec, on device: any Device) throws {
        self.capacity = capacity
        hidden = try device.makeTensor([capacity, spec.hiddenSize])
        logits = try device.makeTensor([capacity, spec.vocabularySize])
    }

    func view(outputs: Int) throws -> (hidden: Tensor, logits: Tensor) {
        (try hidden.prefix(rows: outputs), try logits.prefix(rows: outputs))
    }
}
