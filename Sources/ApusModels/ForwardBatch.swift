/// The tokens of one step, of all scheduled sequences one after the other, and where each stands. Prefill and decode
/// are the same: a sequence has as many tokens here as were scheduled for it.
package struct ForwardBatch: Sendable {
    /// Token ids.
    package var tokens: [Int32] = []
    /// Distance of each token from the start of its sequence.
    package var positions: [Int32] = []
    /// Length of the sequence as each token's rotary embedding sees it (`RotarySpec.Scaling.dynamic`).
    package var rotaryLengths: [Int32] = []
    /// The first key that each token sees; empty where each sees all up to its own.
    package var firstKeys: [Int32] = []
    /// The block table of each token's sequence.
    package var sequences: [Int32] = []
    /// Where each token's key and value go: block · blockSize + offset.
    package var slots: [Int32] = []
    /// The KV blocks of each sequence, in order.
    package var blockTables: [[Int32]] = []
    /// Tokens whose logits are wanted, as indices into `tokens`.
    package var outputs: [Int32] = []

    package init() {}
}
