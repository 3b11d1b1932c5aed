#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What has become of a launched job: who ended how, what failed first, and what is to be done about it.
struct JobState: Sendable {
    enum Event: Sendable {
        case exited(rank: Int, ExitStatus)
        /// The group is broken; comes before anyone is told.
        case broken(DistributedError)
        case signal(Int32)
    }

    enum Action: Sendable, Equatable {
        /// Someone failed: the others are to end.
        case endOthers
        case passOn(Int32)
        case kill
    }

    private(set) var running: Set<Int>
    private(set) var statuses: [Int: ExitStatus] = [:]
    /// The rank that failed first.
    private(set) var culprit: Int?
    private(set) var failure: DistributedError?
    private(set) var signal: Int32?
    /// The ranks that were sent a signal to end: dying of it is not their own doing.
    private var told: Set<Int> = []

    init(count: Int) { running = Set(0..<count) }

    var isOver: Bool { running.isEmpty }

    mutating func observe(_ event: Event) -> Action? {
        switch event {
        case .exited(let rank, let status):
            running.remove(rank)
            statuses[rank] = status
            guard !status.isSuccess, culprit == nil, failure == nil, signal == nil else { return nil }
            culprit = rank
            return .endOthers
        case .broken(let error):
            guard culprit == nil, failure == nil else { return nil }
            failure = error
            guard signal == nil else { return nil }
            culprit = error.rank
            return .endOthers
        case .signal(let number):
            defer { signal = signal ?? number }
            return signal == nil ? .passOn(number) : .kill
        }
    }

    /// Whom to send a signal that ends them.
    mutating func ranksToEnd() -> Set<Int> {
        told.formUnion(running)
        return running
    }

    /// The exit code of the whole: the culprit's own, or 128 and the number of the signal that ended the job.
    var code: Int32 {
        if let signal { return 128 + signal }
        if let culprit { return ownCode(of: culprit) ?? 1 }
        return failure == nil ? 0 : 1
    }

    /// The code of a rank that failed by itself.
    private func ownCode(of rank: Int) -> Int32? {
        guard let status = statuses[rank], !status.isSuccess else { return nil }
        let isOurDoing = told.contains(rank) && [.signaled(SIGTERM), .signaled(SIGKILL)].contains(status)
        return isOurDoing ? nil : status.code
    }

    /// Whether all went well, but for what happens to those whose output nobody takes.
    var hasNoOtherFailure: Bool {
        guard signal == nil else { return false }
        return culprit.map { statuses[$0] == .signaled(SIGPIPE) } ?? (failure == nil)
    }

    /// What happened, if the job failed, without last words.
    var sentence: String? {
        if let signal { return "ended by \(Signal.name(signal))" }
        if let failure { return failure.message }
        guard let culprit, let status = statuses[culprit] else { return nil }
        return "rank \(culprit) \(status)"
    }
}
