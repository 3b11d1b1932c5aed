import ApusCompute

/// What a step writes on one device, kept from step to step and made larger when a step has more tokens.
struct ActivationBuffers: Sendable {
    /// The rows of one step. All float32, all [tokens, …].
    struct View: Sendable {
        let hidden: Tensor  // [tokens, hiddenSize]
        let query, attended: Tensor  // [tokens, heads · headDim]
        let key, value: Tensor  // [tokens, kvHeads · headDim]
        let gate, up: Tensor  // [tokens, intermediateSize]
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
            gate: try rows(spec.intermediateSize), up: try rows(spec.intermediateSize),
            angles: try device.makeTensor([capacity, 2, spec.headDim / 2]))
    }

    func view(tokens: Int) throws -> View {
        View(
            hidden: try whole.hidden.prefix(rows: tokens), query: try whole.query.prefix(rows: tokens),
            attended: try whole.attended.prefix(rows: tokens),
            key: try whole.key.prefix(rows: tokens), value: try whole.value.prefix(rows: tokens),
            gate: try whole.gate.prefix(rows: tokens), up: try whole.up.prefix(rows: tokens),
            angles: try whole.angles.prefix(rows: tokens))
    }
}
