/// One layer's keys and values in blocks of `KVCacheLayout.blockSize` tokens. How a block is laid out is the device's
/// affair.
package struct KVCacheLayer: Sendable {
    package let keys: Tensor
    package let values: Tensor

    package init(keys: Tensor, values: Tensor) {
        self.keys = keys
        self.values = values
    }
}
