/// One line that says what is being done, rewritten in place. Only on a terminal.
final class RewrittenLine {
    private var isShown = false

    func show(_ text: String) {
        guard StandardError.isTerminal else { return }
        isShown = true
        StandardError.raw("\r\u{1B}[K" + text)
    }

    func clear() {
        guard isShown else { return }
        isShown = false
        StandardError.raw("\r\u{1B}[K")
    }
}
