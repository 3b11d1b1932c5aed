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

    /// Most tokens of a step.
    package var tokens: Int
    package var products: [Product] = []
    /// Of attention, if there is any.
    package var heads = 0
    package var kvHeads = 0
    package var headDim = 0
    /// Most keys that a token sees.
    package var context = 0

    package init(tokens: Int) { self.tokens = tokens }
}
