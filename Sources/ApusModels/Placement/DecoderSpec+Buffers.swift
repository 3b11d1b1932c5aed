import ApusCompute

extension DecoderSpec {
    /// Bytes of the activations of so many tokens on one device (`ActivationBuffers`). Of 128 bits, since configurations may
    /// name models that no machine holds.
    func activationByteCount(tokens: Int) -> Int128 {
        let widths = activationWidths
        let perLayer = Int128(widths.perLayer) * Int128(layers + 1)
        let all = [
            hiddenSize, widths.query, widths.attended, widths.key, widths.key, widths.gate, widths.mixed, widths.mixed,
            widths.decay, widths.decay, widths.gated, widths.branch, widths.embedded, widths.experts,
            widths.experts > 0 ? 1 : 0, widths.beside,
        ]
        return 4 * Int128(tokens) * all.reduce(perLayer) { $0 + Int128($1) }
    }

    /// Bytes of the rows of so many outputs (`OutputBuffers`).
    func outputByteCount(outputs: Int) -> Int128 {
        4 * Int128(outputs) * (Int128(hiddenSize) + Int128(activationWidths.embedded) + Int128(vocabularySize))
    }

    /// The width of each buffer, by the widest kind of layer; 0 for what there is not.
    struct ActivationWidths {
        var query, attended, key, gate, mixed, decay: Int
        var gated, branch, embedded, experts, beside, perLayer: Int
    }

    var activationWidths: ActivationWidths {
        func widest(_ width: (LayerKind) -> Int) -> Int { kinds.map(width).max() ?? 0 }
        let hasBranch = kinds.contains { $0.attentionAfterNorm != nil || $0.mlpAfterNorm != nil }
        return ActivationWidths(
            query: widest { $0.mixerWidths.query }, attended: widest { $0.mixerWidths.attended },
            key: widest { $0.mixerWidths.key }, gate: widest { $0.mixerWidths.gate },
            mixed: widest { $0.mixerWidths.mixed }, decay: widest { $0.mixerWidths.decay },
            gated: widest { $0.mlp.isDense ? $0.mlp.width : 0 },
            branch: hasBranch || embedding.perLayer != nil ? hiddenSize : 0,
            embedded: embedding.width == hiddenSize ? 0 : embedding.width,
            experts: widest { $0.mlp.experts?.count ?? 0 },
            beside: widest { $0.mlp.besideExperts == nil ? 0 : hiddenSize },
            perLayer: embedding.perLayer?.width ?? 0)
    }
}

extension LayerKind {
    /// The widths of what brings tokens together; 0 for what there is not.
    struct MixerWidths {
        var query = 0, attended = 0, key = 0, gate = 0, mixed = 0, decay = 0
    }

    var mixerWidths: MixerWidths {
        switch recurrent {
        case nil:
            MixerWidths(
                query: attention.queryWidth, attended: attention.queryWidth, key: attention.keyWidth,
                gate: attention.hasOutputGate ? attention.queryWidth : 0)
        case .deltaNet(let net):
            MixerWidths(
                attended: net.valueWidth, gate: net.valueWidth, mixed: net.mixedWidth, decay: net.valueHeads)
        case .shortConvolution(let convolution):
            MixerWidths(
                attended: convolution.channels, gate: convolution.channels, mixed: convolution.channels, decay: 1)
        }
    }

    /// Bytes of a sequence's states. Of 128 bits, since configurations may name models that no machine holds.
    package var stateByteCount: Int128 {
        guard let counts = recurrent?.stateCounts else { return 0 }
        func count(_ shape: [Int]) -> Int128 { shape.isEmpty ? 0 : shape.reduce(1) { $0 * Int128($1) } }
        return 4 * (count(counts.convolution) + count(counts.matrix))
    }
}

extension DecoderModel {
    /// Most bytes that a step of so many tokens takes on all devices beside weights, cache and logits.
    package func workspaceByteCount(tokens: Int, context: Int) -> Int {
        let blocks = context / KVCacheLayout.blockSize + 1
        let limits = StepLimits(tokens: tokens, outputs: 1, sequences: 1, blocksPerSequence: blocks, blocks: blocks)
        let bytes = devices.reduce(Int128(0)) { bytes, device in
            bytes + spec.activationByteCount(tokens: tokens)
                + Int128(device.workspaceByteCount(workspaceDemand(on: device.id, limits)))
        }
        return Int(min(bytes, 1 << 56))
    }
}
