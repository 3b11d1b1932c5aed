import ApusCheckpoints
import ApusCompute

/// What makes hidden states of tokens.
struct DecoderInput: Sendable {
    let device: any Device
    let table: any PreparedWeight
    private let scale: Float
    private let positions: (any PreparedWeight)?
    private let projection: Projection?
    private let norm: Norm?

    /// - Parameter head: the matrix of the last product, if it is the table too.
    init(
        _ weights: WeightCursor, _ spec: DecoderSpec, _ loader: WeightLoader, tiedTo head: (any PreparedWeight)?
    ) throws {
        let own = try LoadedWeights(weights.at(spec.names.body), spec.inputWeights, loader)
        device = loader.device
        table = try loader.table(weights.at(spec.names.table), spec.storedTable, tiedTo: head)
        scale = spec.embedding.roundsScale ? loader.dtype.rounded(spec.embedding.scale) : spec.embedding.scale
        positions = own.tables[.positions]
        projection = own.projections[.inputProjection]
        norm = own.norms[.embeddingNorm]
    }

    /// - Parameter choices: what the step before chose.
    func forward(_ step: StepTensors, choices: Tensor, embedded: Tensor?, into hidden: Tensor) throws {
        let first = projection == nil ? hidden : embedded ?? hidden
        try device.embedding(
            step.tokens, choices: choices, table, scale: scale, into: first, accumulates: false)
        if let projection { try device.linear(first, norm: nil, [projection.into(hidden)]) }
        if let positions {
            try device.embedding(
                step.attention.positions, choices: nil, positions, scale: 1, into: hidden, accumulates: true)
        }
        if let norm { try device.normalize(hidden, norm, scale: 1, into: hidden, accumulates: false) }
    }
}

/// What makes logits of hidden states.
struct DecoderOutput: Sendable {
    let device: any Device
    let head: Projection
    private let norm: Norm?
    private let projection: Projection?
    private let scale: Float
    private let softCap: Float?

    init(_ weights: WeightCursor, _ spec: DecoderSpec, _ loader: WeightLoader) throws {
        let own = try LoadedWeights(weights.at(spec.names.body), spec.outputWeights, loader)
        device = loader.device
        head = try loader.head(
            weights.at(spec.headPlace(loader.stored)), spec.storedHead(loader.stored),
            bias: spec.headHasBias ? weights.at(spec.names.head) : nil)
        norm = own.norms[.finalNorm]
        projection = own.projections[.outputProjection]
        (scale, softCap) = (spec.logitScale, spec.logitSoftCap)
    }

    func forward(_ hidden: Tensor, projected: Tensor?, into logits: Tensor) throws {
        let last = head.into(logits, scale: scale, then: softCap.map { .softCap($0) })
        guard let projection, let projected else { return try device.linear(hidden, norm: norm, [last]) }
        try device.linear(hidden, norm: norm, [projection.into(projected)])
        try device.linear(projected, norm: nil, [last])
    }
}
