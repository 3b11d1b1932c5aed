/// The largest operations that a device will be asked for.
package struct WorkspaceDemand: Sendable, Equatable {
    package struct Product: Sendable, Hashable {
        package var format: WeightFormat
        package var inputs: Int
        /// Of all products of a call together.
        package var outputs: Int
        /// Whether its weights are packed at every use.
        package var isUnprepared: Bool

        package init(format: WeightFormat, inputs: Int, outputs: Int, isUnprepared: Bool = false) {
            self.format = format
            self.inputs = inputs
            self.outputs = outputs
            self.isUnprepared = isUnprepared
        }
    }

    package struct Attention: Sendable, Hashable {
        package var heads: Int
        package var kvHeads: Int
        package var headDim: Int

        package init(heads: Int, kvHeads: Int, headDim: Int) {
            (self.heads, self.kvHeads, self.headDim) = (heads, kvHeads, headDim)
        }
    }

    package struct Experts: Sendable, Hashable {
        package var format: WeightFormat
        package var count: Int
        /// Of a token.
        package var chosen: Int
        package var inputs: Int
        /// Outputs of an expert's first products, and of the shared one's, if there is one.
        package var width: Int
        package var sharedWidth: Int?

        package init(format: WeightFormat, count: Int, chosen: Int, inputs: Int, width: Int, sharedWidth: Int? = nil) {
            (self.format, self.count, self.chosen) = (format, count, chosen)
            (self.inputs, self.width, self.sharedWidth) = (inputs, width, sharedWidth)
        }
    }

    /// Most tokens of a step.
    package var tokens: Int
    package var products: [Product] = []
    package var attentions: [Attention] = []
    package var experts: [Experts] = []
    /// Most keys that a token sees.
    package var context = 0

    package init(tokens: Int) { self.tokens = tokens }
}
