import Synchronization

/// Counts the steps of an engine, for whoever watches that it gets on.
package final class StepMeter: Sendable {
    package struct Reading: Sendable {
        package var steps = 0
        package var tokens = 0
        /// In all steps.
        package var seconds = 0.0
        package var longestSeconds = 0.0
        /// Sums of tokens · tokens and tokens · seconds over the steps: with those above, what a step takes by its tokens.
        package var squaredTokens = 0.0
        package var tokenSeconds = 0.0
    }

    private let state = Mutex(Reading())
    private let factor = Mutex(1.0)

    package init() {}

    package var reading: Reading { state.withLock { $0 } }

    /// For tests of unequal devices: every step takes this many times as long, by waiting.
    package func slowDown(by factor: Double) { self.factor.withLock { $0 = factor } }

    /// Seconds that are still to be waited after a step that took so long.
    func rest(after seconds: Double) -> Double { seconds * (factor.withLock { $0 } - 1) }

    func note(tokens: Int, seconds: Double) {
        state.withLock { reading in
            let count = Double(tokens)
            reading.steps += 1
            reading.tokens += tokens
            reading.seconds += seconds
            reading.longestSeconds = max(reading.longestSeconds, seconds)
            reading.squaredTokens += count * count
            reading.tokenSeconds += count * seconds
        }
    }
}
