import ApusRuns
import Synchronization

/// One line about the whole run, rewritten in place: done and total, tokens per second, time left, and what each rank does.
final class ProgressLine: Sendable {
    private struct State {
        let line = RewrittenLine()
        /// Whether the line is drawn, and so must be taken away before others are written.
        var isOver = false
        var record: (@Sendable () -> RunRecord)?
        /// Times that results came; the first are shown one by one.
        var advances = 0
    }

    private static let shownOneByOne = 10

    private let isEnabled: Bool
    private let state = Mutex(State())

    init(isEnabled: Bool) { self.isEnabled = isEnabled && Terminal.canRewrite }

    /// Draws ten times a second until the task is cancelled.
    func follow(_ record: @escaping @Sendable () -> RunRecord) -> Task<Void, Never> {
        if isEnabled { state.withLock { $0.record = record } }
        return Task {
            while isEnabled, !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                state.withLock { Self.draw(&$0) }
            }
        }
    }

    /// Results came.
    func advance() {
        guard isEnabled else { return }
        state.withLock { state in
            state.advances += 1
            if state.advances <= Self.shownOneByOne { Self.draw(&state) }
        }
    }

    private static func draw(_ state: inout State) {
        guard !state.isOver, let record = state.record else { return }
        state.line.show(text(record()))
    }

    /// Writes a line of its own.
    func write(_ text: String) {
        state.withLock { state in
            state.line.clear()
            StandardError.write(text)
        }
    }

    /// Takes the line away for good.
    func end() {
        state.withLock { state in
            state.line.clear()
            state.isOver = true
        }
    }

    static func text(_ record: RunRecord) -> String {
        let seconds = max(record.seconds, 1e-3)
        let fresh = record.finished - record.resumed
        var text = record.prompts.map { "\(record.finished)/\($0) prompts" } ?? "\(record.finished) prompts"
        text += ", \(rounded(Double(record.tokens) / seconds)) tokens/s"
        if fresh > 0, let prompts = record.prompts {
            text += ", \(rounded(seconds * Double(prompts - record.finished) / Double(fresh))) s left"
        }
        guard record.ranks.count > 1 else { return text }
        return text + " |" + record.ranks.map { " \($0.rank): \(state($0))" }.joined()
    }

    private static func state(_ rank: RunRecord.Rank) -> String {
        rank.state == .running ? "\(rank.inFlight)" : rank.state.rawValue
    }

    static func rounded(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
