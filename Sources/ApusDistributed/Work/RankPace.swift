/// How fast a worker is, by what it has done so far.
struct RankPace: Sendable {
    /// From being handed out to being finished, in seconds; a moving mean. `nil` before the first.
    private(set) var jobSeconds: Double?
    /// Tokens a second since the worker has had jobs; `nil` while there is too little to tell.
    private(set) var rate: Double?

    private var firstJob: Double?
    private var firstTokens = 0

    private static let leastSeconds = 0.1
    private static let weightOfLast = 0.2

    /// The worker has been handed a job.
    mutating func begin(at now: Double) {
        if firstJob == nil { firstJob = now }
    }

    mutating func finish(after seconds: Double) {
        jobSeconds = jobSeconds.map { $0 + Self.weightOfLast * (seconds - $0) } ?? seconds
    }

    /// The worker's count of tokens now.
    mutating func note(tokens: Int, at now: Double) {
        guard let firstJob, now - firstJob > Self.leastSeconds, tokens > firstTokens else { return }
        rate = Double(tokens - firstTokens) / (now - firstJob)
    }
}
