/// What a model needs of the hardware, and nothing more.
///
/// Activations are float32 tensors of shape [tokens, width], the tokens of all sequences one after the other, without
/// padding. An operation may return before it has finished; only `upload`, `download`, `synchronize` and events wait, and
/// none of these is called within a step, nor is anything allocated there. Operations of one device run in the order in
/// which they were called. What an operation computes for a token depends on that token's own row and sequence, never on
/// the others in the batch.
///
/// Every operation throws `ComputeError` (`.mismatch`) when shapes or types do not fit each other; a device that answers
/// later throws it from the next event.
package protocol Device: AnyObject, Sendable {
    var id: DeviceID { get }

    /// Whether operations return before they have finished, so that it pays to ask for a step before the last is done.
    var answersLater: Bool { get }

    // MARK: Memory

    /// What the device has handed out.
    var memory: AllocationCounter { get }

    /// Throws `ComputeError` (`.outOfMemory`) when there is no room. The contents are undefined.
    ///
    /// - Parameter isSparse: whether much of it may never be touched, and should cost nothing then.
    func allocate(byteCount: Int, isSparse: Bool) throws(ComputeError) -> any DeviceMemory

    /// Memory of the host that the device copies from and to by itself. Throws `ComputeError` (`.outOfMemory`).
    func makeHostBlock(_ label: String, byteCount: Int) throws(ComputeError) -> HostBlock

    /// Copies host bytes into a tensor of the same size, and waits. The host bytes may be changed once this returns.
    func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws(ComputeError)

    /// Waits for the operations that write the tensor, then copies it into host bytes of the same size.
    func download(_ tensor: Tensor, to bytes: UnsafeMutableRawBufferPointer) throws(ComputeError)

    /// Waits for everything that was called so far.
    func synchronize() throws(ComputeError)

    // MARK: Copies and moments of a step

    /// Copies the first bytes of a block into the beginning of a tensor. The block must stay as it is until an event that
    /// is recorded later has come.
    func copyIn(_ block: HostBlock, byteCount: Int, to tensor: Tensor) throws(ComputeError)

    /// Copies a tensor into a block, from a byte on. The block holds it once an event that is recorded later has come.
    func copyOut(_ tensor: Tensor, to block: HostBlock, at offset: Int) throws(ComputeError)

    /// The moment at which everything that was called so far is done.
    func record() throws(ComputeError) -> any DeviceEvent

    /// What is called from now on begins after a moment of this device or another. The host does not wait.
    func wait(for event: any DeviceEvent) throws(ComputeError)

    // MARK: Weights, cache, workspace

    /// Turns a checkpoint's matrix into the device's own layout for products, its elements converted or quantized to
    /// `format`. The weight keeps the source's owner as long as it needs it.
    ///
    /// - Parameter isStreamed: whether it takes no memory of the device, but is read for every use. Changes no result.
    func prepare(
        _ weight: WeightSource, as format: WeightFormat, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight

    /// Bytes of the weights that there was no memory to prepare. Products with them give the same results, but slowly.
    var unpreparedByteCount: Int { get }

    /// Says that operations with some streamed weights are soon to come, in that order, so that they can be read meanwhile.
    func expect(_ weights: [any PreparedWeight]) throws(ComputeError)

    /// Makes a matrix ready for `embedding`.
    ///
    /// - Parameter head: the same matrix as this device has prepared it for products, if it has: one copy may do for both.
    func prepareTable(
        _ weight: WeightSource, as dtype: DType, tiedTo head: (any PreparedWeight)?, isStreamed: Bool
    ) throws(ComputeError) -> any PreparedWeight

    func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer

    /// Takes all memory that operations within a demand need beside their tensors, so that none is taken in a step.
    /// Throws `ComputeError` (`.outOfMemory`).
    func reserveWorkspace(_ demand: WorkspaceDemand) throws(ComputeError)

    /// Bytes that `reserveWorkspace` takes.
    func workspaceByteCount(_ demand: WorkspaceDemand) -> Int

    // MARK: Operations

    /// table[updates[i][0], updates[i][1]] = updates[i][2]; both int32, [count, 3] and [rows, columns].
    func scatter(_ updates: Tensor, into table: Tensor) throws(ComputeError)

    /// x[pairs[i][1]] = x[pairs[i][0]], one row after the other; pairs are int32 [count, 2].
    func copyRows(_ pairs: Tensor, in x: Tensor) throws(ComputeError)

    /// The same with blocks of a cache.
    func copyBlocks(_ pairs: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout) throws(ComputeError)

    /// y[i] = weight[tokens[i]] · scale, or y[i] += that; tokens are int32 [count], within the table, or -(row + 1) for the
    /// token that stands in that row of `choices`, int32 [rows]. Choices that are no tokens give any row.
    func embedding(
        _ tokens: Tensor, choices: Tensor?, _ weight: any PreparedWeight, scale: Float, into y: Tensor,
        accumulates: Bool
    ) throws(ComputeError)

    /// For each product, result = (norm(x) · weightᵀ + bias) · scale with what the product says is done to that, or result +=
    /// if it accumulates; x is [tokens, inputs]. The weights of one call have the same format.
    func linear(_ x: Tensor, norm: Norm?, _ products: [Product]) throws(ComputeError)

    /// result = activation(gate) · up, where gate and up are products of norm(x); result is float32 [tokens, outputs].
    func gatedLinear(
        _ x: Tensor, norm: Norm?, gate: Projection, up: Projection, _ activation: Activation, into result: Tensor
    ) throws(ComputeError)

    /// y = scale · Σ weight · down(activation(gate(n)) · up(n)) over each token's experts, n = norm(x): those that it chooses by
    /// its scores, in the order of their numbers, then the shared one; or y += that. x and y are [tokens, width], and may be one.
    ///
    /// `scores` is [tokens, experts]; `sharedScores`, [tokens, 1], weighs the shared one by its sigmoid, by 1 without them.
    func experts(
        _ x: Tensor, norm: Norm?, scores: Tensor, sharedScores: Tensor?, _ block: ExpertBlock, scale: Float,
        into y: Tensor, accumulates: Bool
    ) throws(ComputeError)

    /// y = norm(x) · scale, or y += that; both are [tokens, width], and may be one.
    func normalize(_ x: Tensor, _ norm: Norm, scale: Float, into y: Tensor, accumulates: Bool) throws(ComputeError)

    /// x[t, i] *= factors[t, column + i] · scale, or x *= scale without factors; x is [tokens, width].
    func multiply(_ x: Tensor, by factors: Tensor?, from column: Int, scale: Float) throws(ComputeError)

    /// All that comes between the projections and attention, in place: what the rule says, with the rotation of pairs of
    /// elements of each head of queries and keys by their positions (Su et al., arXiv 2104.09864); then keys and values go to
    /// the slots of the batch. Without keys and values, nothing is stored: they are there already.
    ///
    /// `query` is [tokens, heads · headDim], `key` and `value` are [tokens, kvHeads · headDim]; `angles` holds cosines, then
    /// sines: [tokens, 2, turned / 2], where `turned` elements of each head turn; without them nothing turns.
    func prepareHeads(
        query: Tensor, key: Tensor?, value: Tensor?, rule: HeadRule, angles: Tensor?, in cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) throws(ComputeError)

    /// Causal attention of each token over its own sequence; query and y are [tokens, heads · headDim].
    func attention(
        query: Tensor, cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch, rule: AttentionRule,
        into y: Tensor
    ) throws(ComputeError)

    /// y[t, c] = activation(Σ weight[j, c] · x[t - taps + 1 + j, c] + bias[c]) over each token's own sequence, whose inputs before
    /// the step are in the state: [sequences, taps - 1, channels]. A sequence begins anew with position 0.
    ///
    /// x and y are [tokens, channels] and not one, `weight` is [taps, channels].
    func convolve(
        _ x: Tensor, _ weight: Tensor, bias: Tensor?, hasSiLU: Bool, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) throws(ComputeError)

    /// The delta rule for each token of each sequence in turn, from its state on: [sequences, valueHeads, keyDim, valueDim]. A
    /// sequence begins anew with position 0.
    ///
    /// `mixed` is [tokens, 2 · keyHeads · keyDim + valueHeads · valueDim]: queries, keys, values; `a` and `b` are
    /// [tokens, valueHeads]; y = norm(result) · silu(z), z and y being [tokens, valueHeads · valueDim].
    func advance(
        _ mixed: Tensor, a: Tensor, b: Tensor, z: Tensor, rule: DeltaRule, state: Tensor, batch: AttentionBatch,
        into y: Tensor
    ) throws(ComputeError)

    /// y[i] = x[rows[i]]
    func gather(_ x: Tensor, rows: Tensor, into y: Tensor) throws(ComputeError)

    /// The index of the largest value of each row, the first of equals, or -1 if one is NaN or +infinity, or all are
    /// -infinity; y is int32 [rows].
    func argmax(_ x: Tensor, into y: Tensor) throws(ComputeError)
}
