package import ApusCompute

/// What comes after attention, or beside it.
package struct MLPSpec: Sendable, Equatable {
    package var width: Int
    package var activation: Activation
    /// down(activation(gate(x)) · up(x)), rather than down(activation(up(x))).
    package var isGated = true
    package var hasBias = false
    /// Many gated MLPs of which each token takes some, instead of the one.
    package var experts: ExpertSpec?

    package init(width: Int, activation: Activation, isGated: Bool = true) {
        (self.width, self.activation, self.isGated) = (width, activation, isGated)
    }
}

/// The experts of a layer.
package struct ExpertSpec: Sendable, Equatable {
    package struct Shared: Sendable, Equatable {
        package var width: Int
        /// Whether it is weighed by the sigmoid of a score of its own.
        package var isScored = false
        package var hasBias = false

        package init(width: Int, isScored: Bool = false) { (self.width, self.isScored) = (width, isScored) }
    }

    package var count: Int
    package var width: Int
    package var rule: RoutingRule
    /// What every token takes too.
    package var shared: Shared?
    /// Whether scores are biased when experts are chosen.
    package var hasChoiceBias = false
    /// Whether that bias is stored as a row.
    package var choiceBiasIsRow = false
    package var routerHasBias = false
    package var hasBias = false

    var choiceBiasShape: [Int] { choiceBiasIsRow ? [1, count] : [count] }

    package init(count: Int, width: Int, rule: RoutingRule) {
        (self.count, self.width, self.rule) = (count, width, rule)
    }
}
