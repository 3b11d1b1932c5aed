import ApusCompute

extension DecoderSpec {
    /// Bytes of the activations of so many tokens on one device (`ActivationBuffers`). Of 128 bits, since configurations may
    /// name models that no machine holds.
    func activationByteCount(tokens: Int) -> Int128 {
        let widths = activationWidths
        let heads = 2 * Int128(widths.query) + 2 * Int128(widths.key)
        let others = Int128(widths.gated) + Int128(widths.branch) + Int128(widths.embedded)
        let scores = widths.experts > 0 ? Int128(widths.experts) + 1 : 0
        return 4 * Int128(tokens) * (Int128(hiddenSize) + heads + others + scores)
    }

    /// Bytes of the rows of so many outputs (`OutputBuffers`).
    func outputByteCount(outputs: Int) -> Int128 {
        4 * Int128(outputs) * (Int128(hiddenSize) + Int128(activationWidths.embedded) + Int128(vocabularySize))
    }

    /// Of the widest kind of layer; 0 for what there is not.
    var activationWidths: (query: Int, key: Int, gated: Int, branch: Int, embedded: Int, experts: Int) {
        let hasBranch = kinds.contains { $0.attentionAfterNorm != nil || $0.mlpAfterNorm != nil }
        return (
            kinds.map(\.attention.queryWidth).max() ?? 0, kinds.map(\.attention.keyWidth).max() ?? 0,
            kinds.map { $0.mlp.experts == nil ? $0.mlp.width : 0 }.max() ?? 0, hasBranch ? hiddenSize : 0,
            embedding.width == hiddenSize ? 0 : embedding.width, kinds.compactMap(\.mlp.experts?.count).max() ?? 0
        )
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
