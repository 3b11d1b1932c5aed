/// What a model needs of the hardware, and nothing more.
///
/// Activations are float32 tensors of shape [tokens, width], the tokens of all sequences one after the other, without
/// padding. An operation may return before it has finished; only `synchronize` and `download` wait. Operations of one
/// device run in the order in which they were called. What an operation computes for a token depends on that token's
/// own row and sequence, never on the others in the batch.
///
/// Every operation throws `ComputeError` (`.mismatch`) when shapes or types do not fit each other.
package protocol Device: AnyObject, Sendable {
    var id: DeviceID { get }

    // MARK: Memory

    /// Throws `ComputeError` (`.outOfMemory`) when there is no room. The contents are undefined.
    func allocate(byteCount: Int) throws(ComputeError) -> any DeviceMemory

    /// Copies host bytes into a tensor of the same size. The host bytes may be changed once this returns.
    func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws(ComputeError)

    /// Waits for the operations that write the tensor, then copies it into host bytes of the same size.
    func download(_ tensor: Tensor, to bytes: UnsafeMutableRawBufferPointer) throws(ComputeError)

    /// Copies within this device.
    func copy(_ source: Tensor, to target: Tensor) throws(ComputeError)

    /// Waits for everything that was called so far.
    func synchronize() throws(ComputeError)

    // MARK: Weights and cache

    /// Turns a checkpoint's matrix into the device's own layout, its elements converted to `dtype`. Done once.
    func prepare(_ weight: WeightSource, as dtype: DType) throws(ComputeError) -> any PreparedWeight

    func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer

    // MARK: Operations

    /// y[i] = weight[tokens[i]]; tokens are int32 [count] and within the table.
    func embedding(_ tokens: Tensor, _ weight: any PreparedWeight, into y: Tensor) throws(ComputeError)

    /// y = x · weightᵀ + bias; x is [tokens, inputs], y [tokens, outputs], bias float32 [outputs].
    func linear(_ x: Tensor, _ weight: any PreparedWeight, bias: Tensor?, into y: Tensor) throws(ComputeError)

    /// y = x / √(mean(x²) + epsilon) · weight, row by row (Zhang & Sennrich, arXiv 1910.07467).
    func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into y: Tensor) throws(ComputeError)

    /// Rotates pairs (i, i + headDim/2) of each head in place (Su et al., arXiv 2104.09864, in the order of halves).
    /// x is [tokens, heads · headDim]; `angles` holds cosines, then sines: [tokens, 2, headDim / 2].
    func rotaryEmbedding(_ x: Tensor, angles: Tensor, headDim: Int) throws(ComputeError)

    /// Stores keys and values, each [tokens, kvHeads · headDim], in the slots of the batch.
    func storeKV(
        keys: Tensor, values: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch
    ) throws(ComputeError)

    /// Causal attention of each token over its own sequence; query and y are [tokens, heads · headDim].
    func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, scale: Float, into y: Tensor
    ) throws(ComputeError)

    /// gate = activation(gate) · up
    func gatedActivation(_ activation: Activation, gate: Tensor, up: Tensor) throws(ComputeError)

    /// y += x
    func add(_ x: Tensor, to y: Tensor) throws(ComputeError)

    /// y[i] = x[rows[i]]
    func gather(_ x: Tensor, rows: Tensor, into y: Tensor) throws(ComputeError)

    /// The index of the largest value of each row, the first of equals, or -1 if none is a number; y is int32 [rows].
    func argmax(_ x: Tensor, into y: Tensor) throws(ComputeError)
}

package enum Activation: String, Sendable, Hashable {
    case silu
    case gelu
    case geluTanh
    case relu
}
