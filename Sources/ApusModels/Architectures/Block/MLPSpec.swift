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
    /// Norms of a layer that has both, the MLP and experts beside it.
    package var besideExperts: NormSpec?

    /// Whether there is the one MLP.
    package var isDense: Bool { experts == nil || besideExperts != nil }

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
    package var choiceBiasName = "e_score_correction_bias"
    /// Whether that bias is stored as a row.
    package var choiceBiasIsRow = false
    package var routerHasBias = false
    /// Whether each expert's weight is multiplied with a number of its own.
    package var hasScales = false
    package var hasBias = false

    var choiceBiasShape: [Int] { choiceBiasIsRow ? [1, count] : [count] }

    package init(count: Int, width: Int, rule: RoutingRule) {
        (self.count, self.width, self.rule) = (count, width, rule)
    }
}
