/// Whether a worker gets on, and what becomes of it when it has died. A pure value; times are seconds.
struct WorkerHealth: Sendable {
    struct Limits: Sendable {
        /// Least time without a finished step after which a worker counts as hanging.
        var hang: Double
        /// Deaths in a row without a finished job after which a worker is not started again, if it never had a job to do.
        var deathsIdle = 3
        /// The same for a worker that others can do without.
        var deathsBusy = 6
        /// Wait before a worker is started again: doubles with every death in a row.
        var backOff = 0.05
        var longestBackOff = 10.0

        init(hang: Double = 30) { self.hang = hang }
    }

    /// A step may take this many times the longest so far; the first, of which nothing is known, as many times the limit.
    private static let patience = 10.0

    private(set) var deathsInARow = 0
    /// When it said anything, and when it got on.
    private var lastWord: Double
    private var lastSign: Double
    private var longest = 0.0
    private var steps = 0

    init(at now: Double) { (lastWord, lastSign) = (now, now) }

    /// The worker was started, or got its first jobs: its time begins.
    mutating func begin(at now: Double) { (lastWord, lastSign) = (now, now) }

    mutating func restart(at now: Double) {
        begin(at: now)
        steps = 0
    }

    /// What it has told of its steps. While it loads, any word counts.
    mutating func note(steps: Int, longest: Double, isLoading: Bool, at now: Double) {
        lastWord = now
        if steps != self.steps || isLoading { lastSign = now }
        self.steps = steps
        self.longest = max(self.longest, longest)
    }

    mutating func noteResult(at now: Double) {
        begin(at: now)
        deathsInARow = 0
    }

    /// How long nothing was finished, if that is too long.
    func hangs(at now: Double, _ limits: Limits) -> Double? {
        let passed = now - lastSign
        let most = steps == 0 ? Self.patience * limits.hang : max(limits.hang, Self.patience * longest)
        return passed > most || now - lastWord > limits.hang ? passed : nil
    }

    /// Seconds to wait before the next start; `nil` if there is to be none.
    mutating func die(holding: Int, othersWork: Bool, _ limits: Limits) -> Double? {
        deathsInARow += 1
        if holding == 0, deathsInARow >= limits.deathsIdle { return nil }
        if othersWork, deathsInARow >= limits.deathsBusy { return nil }
        return min(limits.backOff * Double(1 << min(deathsInARow - 1, 16)), limits.longestBackOff)
    }
}
