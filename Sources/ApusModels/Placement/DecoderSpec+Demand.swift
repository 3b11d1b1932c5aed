package import ApusCompute

extension DecoderSpec {
    /// How one layer's keys and values are kept.
    package func cacheLayout(blocks: Int, _ cacheType: DType) -> KVCacheLayout {
        KVCacheLayout(blocks: blocks, kvHeads: kvHeads, headDim: headDim, dtype: cacheType)
    }

    /// What a device with some parts of the model is asked for at most.
    ///
    /// - Parameter parts: numbered as in `Placement`.
    package func workspaceDemand(
        parts: some Collection<Int>, _ limits: StepLimits, _ format: WeightFormat,
        isUnprepared: (Int) -> Bool = { _ in false }
    ) -> WorkspaceDemand {
        var demand = WorkspaceDemand(tokens: limits.tokens)
        let hasLayers = parts.contains { (1...layers).contains($0) }
        if hasLayers {
            demand.heads = heads
            demand.kvHeads = kvHeads
            demand.headDim = headDim
            demand.context = limits.context
        }
        for part in parts where part > 0 {
            let isHead = part > layers
            for product in products where (product.name == DecoderSpec.headProduct) == isHead {
                let item = WorkspaceDemand.Product(
                    format: isHead ? headFormat(format) : format, inputs: product.inputs, outputs: product.outputs,
                    isUnprepared: isUnprepared(part))
                if !demand.products.contains(item) { demand.products.append(item) }
            }
        }
        return demand
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
        return spec.workspaceDemand(parts: parts, limits, format) { part in
            placement.streamed.contains(part) || unpreparedByteCount > 0
        }
    }
}
