/// The gated delta rule (Yang et al., arXiv 2412.06464): what a layer's state forgets and learns with each token.
package struct DeltaRule: Sendable {
    package let keyHeads: Int
    package let valueHeads: Int
    package let keyDim: Int
    package let valueDim: Int
    /// float32 [valueHeads]: the state shrinks by exp(decay · softplus(a + offset)).
    package let decay: Tensor
    package let offset: Tensor
    /// Of each head of the result, before its gate.
    package let norm: Norm

    package init(
        keyHeads: Int, valueHeads: Int, keyDim: Int, valueDim: Int, decay: Tensor, offset: Tensor, norm: Norm
    ) {
        (self.keyHeads, self.valueHeads, self.keyDim, self.valueDim) = (keyHeads, valueHeads, keyDim, valueDim)
        (self.decay, self.offset, self.norm) = (decay, offset, norm)
    }

    /// Elements of a token's queries, keys and values together.
    package var mixedWidth: Int { 2 * keyHeads * keyDim + valueWidth }
    package var valueWidth: Int { valueHeads * valueDim }
}
