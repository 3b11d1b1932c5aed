/// How often and how long a server is given time.
package struct Patience: Sendable {
    /// Answers in a row that bring nothing.
    package var attempts = 6
    /// Of those, where nobody was reached.
    package var attemptsToReach = 3
    package var firstPause = Duration.seconds(1)
    package var longestPause = Duration.seconds(30)
    /// Most of what a server may ask for with `Retry-After`; a longer wait is an error that says how long.
    package var longestWish = Duration.seconds(300)

    package init() {}

    /// Before the attempt that follows so many.
    package func pause(after attempts: Int) -> Duration {
        min(firstPause * (1 << min(attempts - 1, 16)), longestPause)
    }

    package static func isWorthAnotherTry(_ status: Int) -> Bool {
        [408, 425, 429, 500, 502, 503, 504].contains(status)
    }

    /// What a server asks for: `Retry-After` in seconds, or the `t` of the hub's `RateLimit: "api";r=0;t=55`.
    package static func wish(_ head: HTTPHead) -> Duration? {
        if let text = head["Retry-After"], let seconds = Int(text.filter { $0 != " " }), seconds >= 0 {
            return .seconds(min(seconds, 1 << 30))
        }
        for part in head["RateLimit"]?.split(separator: ";") ?? [] {
            let words = part.split(separator: "=").map { $0.filter { $0 != " " } }
            if words.count == 2, words[0] == "t", let seconds = Int(words[1]), seconds >= 0 {
                return .seconds(min(seconds, 1 << 30))
            }
        }
        return nil
    }
}
