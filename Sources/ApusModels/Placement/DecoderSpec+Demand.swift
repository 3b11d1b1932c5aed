package import ApusCompute

extension LayerKind {
    /// How a layer's keys and values are kept.
    package func cacheLayout(blocks: Int, _ cacheType: DType) -> KVCacheLayout {
        KVCacheLayout(blocks: blocks, kvHeads: attention.kvHeads, headDim: attention.headDim, dtype: cacheType)
    }
}

extension DecoderSpec {
    /// Bytes that a layer of a kind keeps of sequences.
    func memoryByteCount(_ kind: LayerKind, _ limits: StepLimits, _ cacheType: DType) -> Int128 {
        if kind.recurrent != nil { return Int128(limits.sequences) * kind.stateByteCount }
        guard kind.attention.sharedCache == nil else { return 0 }
        let blocks = limits.blocks(ofGroup: limits.group(ofWindow: kind.attention.window))
        let perToken = kind.cacheLayout(blocks: blocks, cacheType).bytesPerToken
        return Int128(blocks) * Int128(KVCacheLayout.blockSize) * Int128(perToken)
    }

    /// Bytes that all layers keep of sequences. Of 128 bits, since configurations may name models that no machine holds.
    package func memoryByteCount(_ limits: StepLimits, _ cacheType: DType) -> Int128 {
        let ofKinds = kinds.map { memoryByteCount($0, limits, cacheType) }
        return pattern.reduce(0) { $0 + ofKinds[$1] }
    }

    /// What a device with some parts of the model is asked for at most.
    ///
    /// - Parameter parts: numbered as in `Placement`.
    /// - Parameter formats: of the weights in products.
    package func workspaceDemand(
        parts: some Collection<Int>, _ limits: StepLimits, _ formats: [WeightFormat],
        isUnprepared: (Int) -> Bool = { _ in false }
    ) -> WorkspaceDemand {
        var demand = WorkspaceDemand(tokens: limits.tokens)
        let hasLayers = parts.contains { (1...layers).contains($0) }
        if hasLayers {
            demand.attentions = Array(
                Set(
                    kinds.filter { $0.recurrent == nil }.map {
                        WorkspaceDemand.Attention(
                            heads: $0.attention.heads, kvHeads: $0.attention.kvHeads, headDim: $0.attention.headDim)
                    }))
            demand.context = limits.context
            demand.experts = formats.flatMap { format in kinds.compactMap { expertDemand(of: $0, format) } }
        }
        func add(_ products: [Product], _ formats: [WeightFormat], isUnprepared: Bool) {
            for (product, format) in products.flatMap({ product in formats.map { (product, $0) } }) {
                let item = WorkspaceDemand.Product(
                    format: product.isExact ? .float32 : format, inputs: product.inputs, outputs: product.outputs,
                    isUnprepared: isUnprepared)
                if !demand.products.contains(item) { demand.products.append(item) }
            }
        }
        // A device that has layers has room for those of all kinds, so that plans need not know which it gets.
        for isStreamed in Set(parts.filter { (1...layers).contains($0) }.map(isUnprepared)) {
            add(
                kinds.flatMap { products(of: weights(of: $0, mostExperts: 1), $0.mlp.experts) }, formats,
                isUnprepared: isStreamed)
        }
        if parts.contains(0) { add(products(of: inputWeights), formats, isUnprepared: isUnprepared(0)) }
        if parts.contains(layers + 1) {
            add(products(of: outputWeights), formats, isUnprepared: isUnprepared(layers + 1))
            add([headProduct], formats.map(headFormat), isUnprepared: isUnprepared(layers + 1))
        }
        return demand
    }

    private func expertDemand(of kind: LayerKind, _ format: WeightFormat) -> WorkspaceDemand.Experts? {
        kind.mlp.experts.map { experts in
            WorkspaceDemand.Experts(
                format: format, count: experts.count, chosen: experts.rule.chosen, inputs: hiddenSize,
                width: experts.width, sharedWidth: experts.shared?.width)
        }
    }

    /// What the head has where other products have a format.
    func headFormat(_ format: WeightFormat) -> WeightFormat {
        format.isQuantized ? Quantization.int8.ofHead.format : format
    }
}

extension DecoderModel {
    func workspaceDemand(on device: DeviceID, _ limits: StepLimits) -> WorkspaceDemand {
        let parts = placement.devices.indices.filter { placement.devices[$0] == device }
        // Weights that there was no memory for are known only once they are loaded.
        return spec.workspaceDemand(parts: parts, limits, formats) { part in
            placement.streamed.contains(part) || unpreparedByteCount > 0
        }
    }
}
