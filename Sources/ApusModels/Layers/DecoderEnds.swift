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
    private let perLayer: PerLayer?

    /// What each layer gets beside the hidden state: (norm(projection(x) / √hidden) + table · √width) / √2.
    private struct PerLayer: Sendable {
        let table: any PreparedWeight
        let projection: Projection
        let norm: Norm
        let width: Int
        let projectionScale, tableScale: Float
    }

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
        perLayer = try spec.embedding.perLayer.map { perLayer in
            guard let table = own.tables[.perLayerTable], let norm = own.norms[.perLayerNorm] else {
                throw ModelError.unsupported("a model without \(WeightRole.perLayerTable)")
            }
            return PerLayer(
                table: table, projection: try own.projection(.perLayerProjection), norm: norm, width: perLayer.width,
                projectionScale: 1 / Float(spec.hiddenSize).squareRoot(),
                tableScale: loader.dtype.rounded(Float(perLayer.width).squareRoot()))
        }
    }

    /// - Parameter choices: what the step before chose.
    /// - Parameter layers: what each layer gets.
    func forward(
        _ step: StepTensors, choices: Tensor, embedded: Tensor?, into hidden: Tensor, layers: Tensor?
    ) throws {
        let first = projection == nil ? hidden : embedded ?? hidden
        try device.embedding(
            step.tokens, choices: choices, table, scale: scale, into: first, accumulates: false)
        if let projection { try device.linear(first, norm: nil, [projection.into(hidden)]) }
        if let positions {
            try device.embedding(
                step.positions, choices: nil, positions, scale: 1, into: hidden, accumulates: true)
        }
        if let norm { try device.normalize(hidden, norm, scale: 1, into: hidden, accumulates: false) }
        guard let perLayer, let layers else { return }
        let share = Float(0.5).squareRoot()
        try device.linear(hidden, norm: nil, [perLayer.projection.into(layers, scale: perLayer.projectionScale)])
        let rows = try Tensor(
            memory: layers.memory, shape: Shape([layers.shape.count / perLayer.width, perLayer.width]), dtype: .float32)
        try device.normalize(rows, perLayer.norm, scale: share, into: rows, accumulates: false)
        try device.embedding(
            step.tokens, choices: choices, perLayer.table, scale: perLayer.tableScale * share, into: layers,
            accumulates: true)
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
