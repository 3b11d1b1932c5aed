/// One line about the whole run, rewritten in place: done and total, tokens per second, time left. Only on a terminal.
struct ProgressLine {
    private let total: Int
    private let isEnabled: Bool
    private let start = ContinuousClock.now
    private var lastDraw: ContinuousClock.Instant?

    init(total: Int, isEnabled: Bool) {
        self.total = total
        self.isEnabled = isEnabled && StandardError.isTerminal
    }

    mutating func update(done: Int, tokens: Int) {
        let now = ContinuousClock.now
        guard isEnabled, lastDraw.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        lastDraw = now
        let seconds = max((now - start) / .seconds(1), 1e-3)
        var line = "\(done)/\(total) prompts, \(Self.rounded(Double(tokens) / seconds)) tokens/s"
        if done > 0 { line += ", \(Self.rounded(seconds * Double(total - done) / Double(done))) s left" }
        StandardError.raw("\r\u{1B}[K" + line)
    }

    /// Takes the line away, so that what follows starts on a clean one.
    mutating func clear() {
        guard isEnabled, lastDraw != nil else { return }
        lastDraw = nil
        StandardError.raw("\r\u{1B}[K")
    }

    static func rounded(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
