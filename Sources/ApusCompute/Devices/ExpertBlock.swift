/// MLPs of which each token takes some.
package struct ExpertBlock: Sendable {
    /// down(activation(gate(x)) · up(x))
    package struct Expert: Sendable {
        package let gate: Projection
        package let up: Projection
        package let down: Projection

        package init(gate: Projection, up: Projection, down: Projection) {
            (self.gate, self.up, self.down) = (gate, up, down)
        }
    }

    package let rule: RoutingRule
    package let activation: Activation
    package let experts: [Expert]
    /// What every token takes, behind those that it chose.
    package let shared: Expert?
    /// The experts, and behind them the shared one.
    package let all: [Expert]
    /// float32 [experts]: what scores get in addition when experts are chosen, but not when they are weighed.
    package let choiceBias: Tensor?
    /// float32 [experts]: what the weights of each are multiplied with in the end.
    package let scales: Tensor?

    package init(
        rule: RoutingRule, activation: Activation, experts: [Expert], shared: Expert? = nil, choiceBias: Tensor? = nil,
        scales: Tensor? = nil
    ) {
        self.rule = rule
        self.activation = activation
        self.experts = experts
        self.shared = shared
        all = experts + (shared.map { [$0] } ?? [])
        self.choiceBias = choiceBias
        self.scales = scales
    }
}

/// How a token chooses its experts by their scores, and weighs what they give.
package struct RoutingRule: Sendable, Equatable {
    package enum Score: Sendable, Equatable {
        /// Of all experts.
        case softmax
        case sigmoid
        /// Of those that were chosen by their plain scores.
        case softmaxOfChosen
    }

    /// Neighbouring experts, of whose groups only the best are chosen from (DeepSeek-AI, arXiv 2412.19437).
    package struct Groups: Sendable, Equatable {
        package var count: Int
        package var kept: Int

        package init(count: Int, kept: Int) { (self.count, self.kept) = (count, kept) }
    }

    /// Experts of a token.
    package var chosen: Int
    package var score: Score
    /// A group is as good as its two best experts together.
    package var groups: Groups?
    /// Whether a token's weights are divided by their sum.
    package var normalizes = false
    /// What they are multiplied with in the end.
    package var factor: Float = 1

    package init(chosen: Int, score: Score) { (self.chosen, self.score) = (chosen, score) }
}
