import ApusCompute

/// The one table of what a model has, from which loading, checks, sizes, plans and quantization follow.
extension DecoderSpec {
    /// Of a layer of some kind.
    ///
    /// - Parameter mostExperts: how many experts' weights are listed, where those of others are the same.
    func weights(of kind: LayerKind, mostExperts: Int = .max) -> [LayerWeight] {
        WeightRole.allCases.flatMap { role -> [LayerWeight] in
            guard let content = content(role, kind) else { return [] }
            let view = view(role, kind)
            guard role.isOfExperts, let count = kind.mlp.experts?.count else {
                let module = names.module(role, isRecurrent: kind.recurrent != nil)
                return [LayerWeight(role: role, content: content, module: module, view: view)]
            }
            return (0..<min(count, mostExperts)).map { weight(role, content, view, ofExpert: $0, count) }
        }
    }

    private func weight(
        _ role: WeightRole, _ content: LayerWeight.Content, _ view: MatrixView?, ofExpert expert: Int, _ count: Int
    ) -> LayerWeight {
        var weight = LayerWeight(
            role: role, content: content, module: names.module(role, expert: expert), view: view)
        weight.isBare = names.bare.contains(role)
        weight.isPacked = names.packed.contains(role)
        if names.stacked.contains(role), case .matrix(let outputs, _, _) = content {
            let own = view ?? MatrixView(outputs: outputs)
            weight.stack = count
            weight.view = MatrixView(
                storedOutputs: count * own.storedOutputs, first: expert * own.storedOutputs + own.first, run: own.run,
                period: own.period, isTransposed: own.isTransposed)
        }
        return weight
    }

    /// What stands before the layers, beside the table.
    var inputWeights: [LayerWeight] {
        weights(of: [
            .positions, .inputProjection, .embeddingNorm, .perLayerTable, .perLayerProjection, .perLayerNorm,
        ])
    }

    /// What stands after them, beside the head's matrix.
    var outputWeights: [LayerWeight] { weights(of: [.finalNorm, .outputProjection]) }

    private func weights(of roles: [WeightRole]) -> [LayerWeight] {
        roles.compactMap { role in
            content(role).map { LayerWeight(role: role, content: $0, module: names[role]) }
        }
    }

    private func content(_ role: WeightRole) -> LayerWeight.Content? {
        let isProjected = embedding.width != hiddenSize
        return switch role {
        case .positions:
            embedding.positions.map { .table(rows: $0.rows, width: hiddenSize, skipped: $0.offset) }
        case .inputProjection:
            isProjected ? .matrix(outputs: hiddenSize, inputs: embedding.width, hasBias: false) : nil
        case .embeddingNorm: embedding.norm.map { .norm($0, shape: [hiddenSize]) }
        case .perLayerTable:
            embedding.perLayer.map { .table(rows: $0.rows, width: layers * $0.width, skipped: 0) }
        case .perLayerProjection:
            embedding.perLayer.map { .matrix(outputs: layers * $0.width, inputs: hiddenSize, hasBias: false) }
        case .perLayerNorm:
            finalNorm.flatMap { norm in embedding.perLayer.map { .norm(norm, shape: [$0.width]) } }
        case .finalNorm: finalNorm.map { .norm($0, shape: [hiddenSize]) }
        case .outputProjection:
            isProjected ? .matrix(outputs: embedding.width, inputs: hiddenSize, hasBias: false) : nil
        default: nil
        }
    }

    private func content(_ role: WeightRole, _ kind: LayerKind) -> LayerWeight.Content? {
        let (attention, mlp) = (kind.attention, kind.mlp)
        func matrix(_ outputs: Int, _ inputs: Int, _ hasBias: Bool) -> LayerWeight.Content {
            .matrix(outputs: outputs, inputs: inputs, hasBias: hasBias)
        }
        func norm(_ spec: NormSpec?) -> LayerWeight.Content? { spec.map { .norm($0, shape: [hiddenSize]) } }
        if let recurrent = kind.recurrent, role.isOfMixer { return content(role, recurrent) }
        return switch role {
        case .attentionNorm: norm(kind.attentionNorm)
        case .attentionAfterNorm: norm(kind.attentionAfterNorm)
        case .mlpNorm: norm(kind.mlpNorm)
        case .mlpAfterNorm: norm(kind.mlpAfterNorm)
        case .query: matrix(attention.queryWidth, hiddenSize, attention.hasInputBias)
        case .outputGate:
            attention.hasOutputGate ? matrix(attention.queryWidth, hiddenSize, attention.hasInputBias) : nil
        case .key: attention.sharedCache == nil ? matrix(attention.keyWidth, hiddenSize, attention.hasInputBias) : nil
        case .value:
            attention.sharedCache == nil && !attention.valuesAreKeys
                ? matrix(attention.keyWidth, hiddenSize, attention.hasInputBias) : nil
        case .queryNorm: attention.headNorm.map { headNorm($0, attention.heads, attention.headDim) }
        case .keyNorm:
            attention.sharedCache == nil
                ? attention.headNorm.map { headNorm($0, attention.kvHeads, attention.headDim) } : nil
        case .sinks: attention.hasSinks ? .vector(name: names.sinks, shape: [attention.heads]) : nil
        case .output: matrix(hiddenSize, attention.queryWidth, attention.hasOutputBias)
        case .gate: mlp.isGated && mlp.isDense ? matrix(mlp.width, hiddenSize, mlp.hasBias) : nil
        case .up: mlp.isDense ? matrix(mlp.width, hiddenSize, mlp.hasBias) : nil
        case .down: mlp.isDense ? matrix(hiddenSize, mlp.width, mlp.hasBias) : nil
        case .expertNorm, .expertAfterNorm, .denseAfterNorm: norm(mlp.besideExperts)
        case .routerNorm: norm(mlp.besideExperts.map(routerNorm))
        case .outputScale: kind.hasOutputScale ? .vector(name: "layer_scalar", shape: [1]) : nil
        case .perLayerGate: embedding.perLayer.map { matrix($0.width, hiddenSize, false) }
        case .perLayerOutput: embedding.perLayer.map { matrix(hiddenSize, $0.width, false) }
        case .perLayerAfterNorm: embedding.perLayer.flatMap { _ in norm(finalNorm) }
        default: mlp.experts.flatMap { content(role, $0) }
        }
    }

    private func content(_ role: WeightRole, _ recurrent: RecurrentSpec) -> LayerWeight.Content? {
        func matrix(_ outputs: Int, _ inputs: Int, hasBias: Bool = false) -> LayerWeight.Content {
            .matrix(outputs: outputs, inputs: inputs, hasBias: hasBias)
        }
        switch recurrent {
        case .deltaNet(let net):
            return switch role {
            case .mixed: matrix(net.mixedWidth, hiddenSize)
            case .mixedGate: matrix(net.valueWidth, hiddenSize)
            case .forgetting, .learning: matrix(net.valueHeads, hiddenSize)
            case .convolution: .filter(channels: net.mixedWidth, taps: net.taps, hasBias: false)
            case .decay: .vector(name: "A_log", shape: [net.valueHeads])
            case .decayOffset: .vector(name: "dt_bias", shape: [net.valueHeads])
            case .deltaNorm: .norm(net.norm, shape: [net.valueDim])
            case .output: matrix(hiddenSize, net.valueWidth)
            default: nil
            }
        case .shortConvolution(let convolution):
            let (width, hasBias) = (convolution.channels, convolution.hasBias)
            return switch role {
            case .convolutionGate, .convolutionInput, .convolutionOutputGate:
                matrix(width, hiddenSize, hasBias: hasBias)
            case .convolution: .filter(channels: width, taps: convolution.taps, hasBias: hasBias)
            case .output: matrix(hiddenSize, width, hasBias: hasBias)
            default: nil
            }
        }
    }

    private func content(_ role: WeightRole, _ experts: ExpertSpec) -> LayerWeight.Content? {
        func matrix(_ outputs: Int, _ inputs: Int, hasBias: Bool = false) -> LayerWeight.Content {
            .matrix(outputs: outputs, inputs: inputs, hasBias: hasBias)
        }
        return switch role {
        case .router: matrix(experts.count, hiddenSize, hasBias: experts.routerHasBias)
        case .choiceBias:
            experts.hasChoiceBias
                ? .vector(name: experts.choiceBiasName, shape: experts.choiceBiasShape) : nil
        case .expertScales: experts.hasScales ? .vector(name: "per_expert_scale", shape: [experts.count]) : nil
        case .expertGate, .expertUp: matrix(experts.width, hiddenSize, hasBias: experts.hasBias)
        case .expertDown: matrix(hiddenSize, experts.width, hasBias: experts.hasBias)
        case .sharedRouter: experts.shared.flatMap { $0.isScored ? matrix(1, hiddenSize) : nil }
        case .sharedGate, .sharedUp: experts.shared.map { matrix($0.width, hiddenSize, hasBias: $0.hasBias) }
        case .sharedDown: experts.shared.map { matrix(hiddenSize, $0.width, hasBias: $0.hasBias) }
        default: nil
        }
    }

    /// Its weights are divided by the root of the width, as in what Gemma 4 was trained with.
    private func routerNorm(_ norm: NormSpec) -> NormSpec {
        var norm = norm
        norm.weightName = "scale"
        norm.weightScale = 1 / Float(hiddenSize).squareRoot()
        return norm
    }

    private func headNorm(_ spec: HeadNormSpec, _ heads: Int, _ headDim: Int) -> LayerWeight.Content {
        switch spec.span {
        case .head: .norm(spec.norm, shape: [headDim])
        case .headWithOwnWeights: .norm(spec.norm, shape: [heads, headDim])
        case .headWithListedWeights: .norm(spec.norm, shape: [headDim], pieces: heads)
        case .row: .norm(spec.norm, shape: [heads * headDim])
        }
    }

    /// Where a layer's matrix is in what is stored; `nil` if it stands alone.
    private func view(_ role: WeightRole, _ kind: LayerKind) -> MatrixView? {
        guard case .matrix(let outputs, _, _)? = content(role, kind) else { return nil }
        let isTransposed = names.transposed.contains(role)
        guard let fusion = names.fusions.first(where: { $0.parts.contains(role) }) else {
            return isTransposed ? MatrixView(outputs: outputs, isTransposed: true) : nil
        }
        let groups =
            switch fusion.groups {
            case .count(let count): count
            case .heads: kind.attention.heads
            case .kvHeads: kind.attention.kvHeads
            case .outputs: outputs
            }
        var (first, period, stored) = (0, 0, 0)
        for part in fusion.parts {
            guard case .matrix(let outputs, _, _)? = content(part, kind) else { continue }
            if part == role { first = period }
            period += outputs / groups
            stored += outputs
        }
        return MatrixView(
            storedOutputs: stored, first: first, run: max(outputs / groups, 1), period: period,
            isTransposed: isTransposed)
    }
}
