import NIOPosix
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
    private let guardian: Guardian
    /// Ranks of one machine keep in it what they need only once.
    private let sharedMemory: SharedMemory?
    private let waiting: NIOThreadPool
    private let processes: Mutex<[Int: RankProcess]> = Mutex([:])

    init(count: Int, outputTo output: Int32, errorTo error: Int32) throws {
        self.count = count
        let directory = try PrivateDirectory()
        let guardian = try Guardian(directory: directory)
        self.directory = directory
        self.guardian = guardian
        do {
            try directory.make()
            self.output = try OutputRelay(ranks: count, target: output)
            self.error = try OutputRelay(ranks: count, target: error)
        } catch {
            directory.remove()
            guardian.dismiss()
            throw error
        }
        sharedMemory = count > 1 ? SharedMemory() : nil
        waiting = NIOThreadPool(numberOfThreads: count)
        waiting.start()
    }

    /// Starts all ranks, each in its own process group; rank 0 reads `input`, the others nothing.
    /// `onExit` is called once for each rank, from any thread.
    func start(
        _ command: [String], input: Int32?, environment: (Int) -> [String: String],
        onExit: @escaping @Sendable (Int, ExitStatus) -> Void
    ) async throws {
        guard let name = command.first else { throw DistributedError.launch("no program was given") }
        let program = try ProgramSearch.resolve(name, path: Platform.environmentVariable("PATH"))
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard nothing >= 0 else { throw DistributedError.launch("/dev/null: \(Platform.describe(errno))") }
        defer { close(nothing) }
        for rank in 0..<count {
            let process = try await RankProcess.start(
                RankProcess.Request(
                    program: program, arguments: command,
                    environment: SharedMemory.environment(environment(rank), with: sharedMemory),
                    input: rank == 0 ? input ?? nothing : nothing, output: output.inlets[rank],
                    error: error.inlets[rank], guardian: guardian.channel, shared: sharedMemory?.descriptor ?? -1))
            processes.withLock { $0[rank] = process }
            Task {
                if let status = try? await process.awaitExit(on: waiting) { onExit(rank, status) }
            }
        }
        output.start()
        error.start()
    }

    func signal(_ signal: Int32, ranks: some Sequence<Int>) {
        processes.withLock { processes in
            for rank in ranks { processes[rank]?.signalGroup(signal) }
        }
    }

    /// Kills whatever is left, passes on what was written, removes the directory. `limit` bounds the wait for a reader
    /// of the output who does not read; `failed` says that a message will follow on standard error.
    func end(outputWithin limit: Duration?, failed: Bool) async {
        let ended = processes.withLock { processes in
            defer { processes = [:] }
            return Array(processes.values)
        }
        for process in ended { process.signalGroup(SIGKILL) }
        for process in ended {
            process.reap()
            guardian.forget(process.id)
        }
        await output.finish(within: limit)
        await error.finish(within: limit)
        if failed { error.endLine() }
        directory.remove()
        guardian.dismiss()
        waiting.shutdownGracefully { _ in }
    }
}
