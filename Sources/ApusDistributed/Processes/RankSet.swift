import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The processes of one job with everything that ends with them: guardian, private directory, output.
///
/// `end` must be called; it leaves no process and no file behind. If this process dies first, the guardian does the same.
final class RankSet: Sendable {
    let count: Int
    let directory: PrivateDirectory
    let output: OutputRelay
    let error: OutputRelay
    private let program: String
    private let guardian: Guardian
    /// Ranks of one machine keep in it what they need only once.
    private let sharedMemory: SharedMemory?
    private let news: News

    private final class News: Sendable {
        struct State {
            /// The process groups of the ranks that have a process.
            var groups: [Int: pid_t] = [:]
            var startedCount = 0
            var refusal: Int32?
            var isGone = false
            var onExit: @Sendable (Int, ExitStatus) -> Void = { _, _ in }
            var onLoss: @Sendable () -> Void = {}
        }

        let directory: PrivateDirectory
        let state = Mutex(State())
        /// Opens when the ranks run, or cannot.
        let started = Latch()
        let gone = Latch()

        init(directory: PrivateDirectory) { self.directory = directory }
    }

    /// Prepares everything; `start` lets the ranks run. Rank 0 will read `input`, the others nothing; `environment` is
    /// of a rank and the path of the socket; with `restarts`, ranks that have ended may be started again; `log` gets what
    /// goes to standard error too. Throws `DistributedError` (`.launch`) if there is no such program or the
    /// system refuses what is needed.
    init(
        count: Int, command: [String], input: Int32?, outputTo output: Int32, errorTo error: Int32,
        restarts: Bool = false, log: OutputRelay.Log? = nil,
        environment: (Int, String) -> [String: String]
    ) throws {
        guard let name = command.first else { throw DistributedError.launch("no program was given") }
        let isOwn = name == RunningProgram.path
        program =
            try (isOwn ? RunningProgram.executable : nil)
            ?? ProgramSearch.resolve(name, path: Platform.environmentVariable("PATH"))
        // Before the ranks have theirs: four ends of pipes a rank, as many for the guardian, the socket.
        try Headroom.check(moreDescriptors: 4 * count + 10)
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw DistributedError.launch("/dev/null: \(Platform.describe(errno))") }
        defer { close(nothing) }
        self.count = count
        let directory = try PrivateDirectory()
        let memory = count > 1 ? SharedMemory() : nil
        let (news, outputs) = (News(directory: directory), try OutputRelay(ranks: count, target: output, log: log))
        let errors = try OutputRelay(ranks: count, target: error, log: log)
        guardian = try Guardian(
            Guardian.Job(
                program: program, arguments: command,
                environments: (0..<count).map {
                    SharedMemory.environment(environment($0, directory.socket), with: memory)
                },
                input: input ?? nothing, nothing: nothing, outputs: outputs.inlets, errors: errors.inlets,
                shared: memory?.descriptor ?? -1, restarts: restarts, directory: directory)
        ) { Self.receive($0, news, of: count) }
        (self.directory, self.news, self.output, self.error, sharedMemory) = (directory, news, outputs, errors, memory)
        do {
            // Only now: whenever this process dies, somebody is there to remove it.
            try directory.make()
        } catch {
            guardian.end()
            throw error
        }
    }

    /// Starts all ranks, each in its own process group. `onExit` is called once for each rank that has run, from any
    /// thread; `onLoss` when the guardian is gone before `end`, and no rank can be started any more.
    /// Throws `DistributedError` (`.launch`) if one cannot be started.
    func start(
        onExit: @escaping @Sendable (Int, ExitStatus) -> Void, onLoss: @escaping @Sendable () -> Void = {}
    ) async throws {
        news.state.withLock { state in
            state.onExit = onExit
            state.onLoss = onLoss
        }
        guardian.startRanks()
        await news.started.wait()
        let (refusal, isGone) = news.state.withLock { ($0.refusal, $0.isGone) }
        if let refusal {
            throw DistributedError.launch("\(program) could not be started: \(Platform.describe(refusal))")
        }
        if isGone { throw DistributedError.launch("the guardian process ended before the ranks had started") }
        try output.start()
        try error.start()
    }

    private static func receive(_ message: Guardian.News, _ news: News, of count: Int) {
        switch message {
        case .forked(let rank, let group): news.state.withLock { $0.groups[rank] = group }
        case .started:
            let isLast = news.state.withLock { state in
                state.startedCount += 1
                return state.startedCount == count
            }
            if isLast { news.started.open() }
        case .refused(let rank, let error):
            let onExit = news.state.withLock { state in
                state.groups[rank] = nil
                state.refusal = state.refusal ?? error
                return state.onExit
            }
            // Of one that was to be started again, as if it had ended at once.
            if news.started.isOpen { onExit(rank, .exited(127)) } else { news.started.open() }
        case .ended(let rank, let status):
            let onExit = news.state.withLock { state in
                state.groups[rank] = nil
                return state.onExit
            }
            onExit(rank, status)
        case .gone:
            let (groups, onExit, onLoss) = news.state.withLock { state in
                defer { state.groups = [:] }
                state.isGone = true
                return (state.groups, state.onExit, state.onLoss)
            }
            onLoss()
            // If it was killed, its ranks died with it, and the rest falls to this process.
            for group in groups.values { kill(-group, SIGKILL) }
            news.directory.remove()
            for rank in groups.keys.sorted() { onExit(rank, .signaled(SIGKILL)) }
            news.started.open()
            news.gone.open()
        }
    }

    /// Starts a rank again of which `onExit` has told.
    func restart(_ rank: Int) {
        output.revive(rank)
        error.revive(rank)
        guardian.restart(rank)
    }

    func signal(_ signal: Int32, ranks: some Sequence<Int>) {
        for rank in ranks { guardian.signal(signal, rank: rank) }
    }

    /// Kills whatever is left, passes on what was written, removes the directory. `limit` bounds the wait for a reader
    /// of the output who does not read; `failed` says that a message will follow on standard error.
    func end(outputWithin limit: Duration?, failed: Bool) async {
        news.state.withLock { state in
            state.onExit = { _, _ in }
            state.onLoss = {}
        }
        guardian.end()
        // It gives up by itself on what cannot be killed.
        await news.gone.wait(upTo: .seconds(10))
        await output.finish(within: limit)
        await error.finish(within: limit)
        if failed { error.endLine() }
    }
}
