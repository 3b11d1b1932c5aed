import ApusCheckpoints
import ApusCompute

/// One block, on its device: attention and an MLP, whose results are added to what came in.
struct DecoderLayer: Sendable {
    let device: any Device
    let kind: LayerKind
    /// In the order in which they are used.
    let matrices: [any PreparedWeight]
    private let mixer: any TokenMixer
    private let output: Projection
    private let mlp: DecoderMLP
    private let attentionNorm, attentionAfterNorm, mlpNorm, mlpAfterNorm: Norm?
    private let perLayer: PerLayerInput?
    private let outputScale: Float?

    /// - Parameter index: the layer's number.
    init(_ place: WeightCursor, _ spec: DecoderSpec, _ index: Int, _ loader: WeightLoader) throws {
        let kind = spec.kind(ofLayer: index)
        let weights = try LoadedWeights(place, spec.weights(of: kind), loader)
        device = loader.device
        self.kind = kind
        matrices = weights.matrices
        mixer =
            switch kind.recurrent {
            case .deltaNet(let net): try DeltaNetMixer(net, weights, on: loader.device)
            case .shortConvolution: try ConvolutionMixer(weights)
            case nil: try AttentionMixer(spec, kind.attention, weights, on: loader.device)
            }
        output = try weights.projection(.output)
        mlp = try DecoderMLP(kind.mlp, weights)
        attentionNorm = weights.norms[.attentionNorm]
        attentionAfterNorm = weights.norms[.attentionAfterNorm]
        mlpNorm = weights.norms[.mlpNorm]
        mlpAfterNorm = weights.norms[.mlpAfterNorm]
        perLayer = try spec.embedding.perLayer.map { try PerLayerInput($0, weights, index: index) }
        outputScale = try weights.vectors[.outputScale].flatMap { scale -> Float? in
            let values: [Float] = try loader.device.download(scale).elements()
            return values.first
        }
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(_ buffers: ActivationBuffers.View, _ step: StepTensors, _ memory: LayerMemory) throws {
        let hidden = buffers.hidden
        try mixer.mix(hidden, norm: norm(hidden, attentionNorm), buffers, step, memory, on: device)
        if kind.residual == .parallel { try mlp.open(hidden, norm: mlpNorm ?? attentionNorm, buffers, on: device) }
        try add(attentionAfterNorm, sumNorm: attentionNorm, buffers) { target, accumulates, scale in
            try device.linear(
                buffers.attended, norm: nil, [Product(output, into: target, accumulates: accumulates, scale: scale)])
        }
        let mlpInput = kind.residual == .parallel ? nil : try norm(hidden, mlpNorm)
        if kind.residual != .parallel { try mlp.open(hidden, norm: mlpInput, buffers, on: device) }
        try add(mlpAfterNorm, sumNorm: mlpNorm, buffers) { target, accumulates, scale in
            try mlp.close(
                into: target, accumulates: accumulates, scale: scale, norm: mlpInput, buffers, on: device)
        }
        try perLayer?.add(buffers, on: device)
        if let outputScale { try device.multiply(hidden, by: nil, from: 0, scale: outputScale) }
    }

    /// The norm that is left for the products of a hidden state.
    private func norm(_ hidden: Tensor, _ norm: Norm?) throws -> Norm? {
        switch kind.residual {
        case .serial, .parallel: return norm
        case .normedSum: return nil
        case .normedInput:
            if let norm { try device.normalize(hidden, norm, scale: 1, into: hidden, accumulates: false) }
            return nil
        }
    }

    /// Adds the result of a branch to the hidden state, through its norm if it has one.
    private func add(
        _ norm: Norm?, sumNorm: Norm?, _ buffers: ActivationBuffers.View,
        _ branch: (_ target: Tensor, _ accumulates: Bool, _ scale: Float) throws -> Void
    ) throws {
        let hidden = buffers.hidden
        if let norm, let target = buffers.branch {
            try branch(target, false, 1)
            try device.normalize(target, norm, scale: kind.branchScale, into: hidden, accumulates: true)
        } else {
            try branch(hidden, true, kind.branchScale)
        }
        if kind.residual == .normedSum, let sumNorm {
            try device.normalize(hidden, sumNorm, scale: 1, into: hidden, accumulates: false)
        }
    }
}
