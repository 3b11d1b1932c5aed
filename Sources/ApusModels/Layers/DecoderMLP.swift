import ApusCompute

/// The MLP of a layer, or its experts: what is done before a branch's result is due, and what gives it.
enum DecoderMLP: Sendable {
    case dense(gate: Projection?, up: Projection, down: Projection, Activation)
    case experts(ExpertBlock, router: Projection, sharedRouter: Projection?)

    init(_ spec: MLPSpec, _ weights: LoadedWeights) throws {
        guard let experts = spec.experts else {
            self = .dense(
                gate: weights.projections[.gate], up: try weights.projection(.up),
                down: try weights.projection(.down), spec.activation)
            return
        }
        let gates = weights.experts[.expertGate] ?? []
        let ups = weights.experts[.expertUp] ?? []
        let downs = weights.experts[.expertDown] ?? []
        let shared = try experts.shared.map { _ in
            ExpertBlock.Expert(
                gate: try weights.projection(.sharedGate), up: try weights.projection(.sharedUp),
                down: try weights.projection(.sharedDown))
        }
        let block = ExpertBlock(
            rule: experts.rule, activation: spec.activation,
            experts: zip(gates, zip(ups, downs)).map { .init(gate: $0, up: $1.0, down: $1.1) }, shared: shared,
            choiceBias: weights.vectors[.choiceBias])
        self = .experts(
            block, router: try weights.projection(.router), sharedRouter: weights.projections[.sharedRouter])
    }

    /// What comes of the hidden state before anything is added to it.
    func open(_ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, on device: any Device) throws {
        switch self {
        case .dense(nil, let up, _, let activation):
            try device.linear(hidden, norm: norm, [up.into(buffers.gated, then: .activation(activation))])
        case .dense(let gate?, let up, _, let activation):
            try device.gatedLinear(hidden, norm: norm, gate: gate, up: up, activation, into: buffers.gated)
        case .experts(_, let router, let sharedRouter):
            guard let scores = buffers.scores, let sharedScores = buffers.sharedScores else { return }
            let shared = sharedRouter.map { [$0.into(sharedScores)] } ?? []
            try device.linear(hidden, norm: norm, [router.into(scores)] + shared)
        }
    }

    /// The result. Experts take the hidden state again: it must be what it was.
    func close(
        into target: Tensor, accumulates: Bool, scale: Float, norm: Norm?, _ buffers: ActivationBuffers.View,
        on device: any Device
    ) throws {
        switch self {
        case .dense(_, _, let down, _):
            try device.linear(
                buffers.gated, norm: nil, [Product(down, into: target, accumulates: accumulates, scale: scale)])
        case .experts(let block, _, let sharedRouter):
            guard let scores = buffers.scores else { return }
            try device.experts(
                buffers.hidden, norm: norm, scores: scores, sharedScores: sharedRouter == nil ? nil : buffers.sharedScores,
                block, scale: scale, into: target, accumulates: accumulates)
        }
    }
}
