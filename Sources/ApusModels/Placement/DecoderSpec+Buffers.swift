import ApusCompute

extension DecoderSpec {
    /// Bytes of the activations of so many tokens on one device: hidden state, queries and what they attend to, keys,
    /// values, and the gate (`ActivationBuffers`). Of 128 bits, since configurations may name models that no machine holds.
    func activationByteCount(tokens: Int) -> Int128 {
        let widths = activationWidths
        let heads = 2 * Int128(widths.query) + 2 * Int128(widths.key)
        return 4 * Int128(tokens) * (Int128(hiddenSize) + heads + Int128(widths.gated))
    }

    /// Of the widest kind of layer.
    var activationWidths: (query: Int, key: Int, gated: Int) {
        (
            kinds.map(\.attention.queryWidth).max() ?? 0, kinds.map(\.attention.keyWidth).max() ?? 0,
            kinds.map(\.mlp.width).max() ?? 0
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
