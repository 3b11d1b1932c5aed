package import ApusCompute

/// The keys and values of every layer, each layer's on its own device.
package struct KVCache: Sendable {
    package struct Layer: Sendable {
        package let layout: KVCacheLayout
        package let memory: KVCacheLayer
    }

    package let layers: [Layer]
}
