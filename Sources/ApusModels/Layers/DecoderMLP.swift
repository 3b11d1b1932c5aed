import ApusCompute

/// The MLP of a layer, or its experts, or both: what is done before a branch's result is due, and what gives it.
struct DecoderMLP: Sendable {
    private struct Dense: Sendable {
        let gate: Projection?
        let up, down: Projection
        let activation: Activation
    }

    private struct Experts: Sendable {
        let block: ExpertBlock
        let router: Projection
        let sharedRouter: Projection?
    }

    private let dense: Dense?
    private let experts: Experts?
    /// Of layers that have both.
    private let routerNorm, expertNorm, expertAfterNorm, denseAfterNorm: Norm?

    init(_ spec: MLPSpec, _ weights: LoadedWeights) throws {
        dense =
            spec.isDense
            ? Dense(
                gate: weights.projections[.gate], up: try weights.projection(.up), down: try weights.projection(.down),
                activation: spec.activation) : nil
        experts = try spec.experts.map { experts in
            Experts(
                block: try Self.block(experts, spec.activation, weights), router: try weights.projection(.router),
                sharedRouter: weights.projections[.sharedRouter])
        }
        routerNorm = weights.norms[.routerNorm]
        expertNorm = weights.norms[.expertNorm]
        expertAfterNorm = weights.norms[.expertAfterNorm]
        denseAfterNorm = weights.norms[.denseAfterNorm]
    }

    private static func block(
        _ spec: ExpertSpec, _ activation: Activation, _ weights: LoadedWeights
    ) throws -> ExpertBlock {
        let gates = weights.experts[.expertGate] ?? []
        let ups = weights.experts[.expertUp] ?? []
        let downs = weights.experts[.expertDown] ?? []
        let shared = try spec.shared.map { _ in
            ExpertBlock.Expert(
                gate: try weights.projection(.sharedGate), up: try weights.projection(.sharedUp),
                down: try weights.projection(.sharedDown))
        }
        return ExpertBlock(
            rule: spec.rule, activation: activation,
            experts: zip(gates, zip(ups, downs)).map { .init(gate: $0, up: $1.0, down: $1.1) }, shared: shared,
            choiceBias: weights.vectors[.choiceBias], scales: weights.vectors[.expertScales])
    }

    /// What comes of the hidden state before anything is added to it.
    func open(_ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, on device: any Device) throws {
        if let experts, let scores = buffers.scores, let sharedScores = buffers.sharedScores {
            let shared = experts.sharedRouter.map { [$0.into(sharedScores)] } ?? []
            try device.linear(hidden, norm: routerNorm ?? norm, [experts.router.into(scores)] + shared)
        }
        guard let dense else { return }
        guard let gate = dense.gate else {
            return try device.linear(
                hidden, norm: norm, [dense.up.into(buffers.gated, then: .activation(dense.activation))])
        }
        try device.gatedLinear(hidden, norm: norm, gate: gate, up: dense.up, dense.activation, into: buffers.gated)
    }

    /// The result. Experts take the hidden state again: it must be what it was.
    func close(
        into target: Tensor, accumulates: Bool, scale: Float, norm: Norm?, _ buffers: ActivationBuffers.View,
        on device: any Device
    ) throws {
        func run(_ experts: Experts, norm: Norm?, into target: Tensor, accumulates: Bool) throws {
            guard let scores = buffers.scores else { return }
            try device.experts(
                buffers.hidden, norm: norm, scores: scores,
                sharedScores: experts.sharedRouter == nil ? nil : buffers.sharedScores, experts.block, scale: scale,
                into: target, accumulates: accumulates)
        }
        guard let dense else {
            if let experts { try run(experts, norm: norm, into: target, accumulates: accumulates) }
            return
        }
        try device.linear(
            buffers.gated, norm: nil, [Product(dense.down, into: target, accumulates: accumulates, scale: scale)])
        guard let experts, let denseAfterNorm, let expertAfterNorm, let beside = buffers.beside else { return }
        try device.normalize(target, denseAfterNorm, scale: 1, into: target, accumulates: false)
        try run(experts, norm: expertNorm, into: beside, accumulates: false)
        try device.normalize(beside, expertAfterNorm, scale: 1, into: target, accumulates: true)
    }
}
