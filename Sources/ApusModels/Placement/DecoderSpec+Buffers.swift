import ApusCompute

extension DecoderSpec {
    /// Bytes of the activations of so many tokens on one device: hidden state, queries and what they attend to, keys,
    /// values, and the gate. A floating-point number, since configurations may name models that no integer counts.
    func activationBytes(tokens: Int) -> Double {
        let heads = Double(2 * heads + 2 * kvHeads) * Double(headDim)
        return 4 * Double(tokens) * (Double(hiddenSize) + heads + Double(intermediateSize))
    }
}

extension DecoderModel {
    /// Most bytes that a step of so many tokens takes on all devices beside weights, cache and logits.
    package func workspaceByteCount(tokens: Int, context: Int) -> Int {
        let blocks = context / KVCacheLayout.blockSize + 1
        let limits = StepLimits(tokens: tokens, outputs: 1, sequences: 1, blocksPerSequence: blocks, blocks: blocks)
        let bytes = devices.reduce(0.0) { bytes, device in
            bytes + spec.activationBytes(tokens: tokens)
                + Double(device.workspaceByteCount(workspaceDemand(on: device.id, limits)))
        }
        return Int(min(bytes, 0x1p56))
    }
}
