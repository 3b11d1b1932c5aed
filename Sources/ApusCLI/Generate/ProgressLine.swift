/// One line about the whole run, rewritten in place: done and total, tokens per second, time left.
struct ProgressLine {
    private let total: Int
    private let isEnabled: Bool
    private let line = RewrittenLine()
    private let start = ContinuousClock.now
    private var lastDraw: ContinuousClock.Instant?

    init(total: Int, isEnabled: Bool) {
        self.total = total
        self.isEnabled = isEnabled
    }

    mutating func update(done: Int, tokens: Int) {
        let now = ContinuousClock.now
        guard isEnabled, lastDraw.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        lastDraw = now
        let seconds = max((now - start) / .seconds(1), 1e-3)
        var text = "\(done)/\(total) prompts, \(Self.rounded(Double(tokens) / seconds)) tokens/s"
        if done > 0 { text += ", \(Self.rounded(seconds * Double(total - done) / Double(done))) s left" }
        line.show(text)
    }

    mutating func clear() {
        lastDraw = nil
        line.clear()
    }

    static func rounded(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
