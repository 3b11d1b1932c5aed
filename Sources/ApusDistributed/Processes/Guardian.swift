import CApusProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small process that is the parent of a job's ranks. When it is told to, or when this process dies, however it dies,
/// it kills them with all their descendants, removes the private directory, and ends.
final class Guardian: Sendable {
    /// What a job is started with. The descriptors stay the caller's to close, and may be closed at once.
    struct Job: Sendable {
        var program: String
        var arguments: [String]
        /// One for each rank.
        var environments: [[String: String]]
        /// For rank 0, and for the others.
        var input: Int32
        var nothing: Int32
        var outputs: [Int32]
        var errors: [Int32]
        /// Stays open in the ranks under the same number; -1 for none.
        var shared: Int32
        /// Whether ranks may be started again.
        var restarts: Bool
        var directory: PrivateDirectory
    }

    enum News: Sendable {
        /// The rank has a process, the leader of that group, which does not run its program yet.
        case forked(rank: Int, group: pid_t)
        case started(rank: Int)
        /// A rank could not be started: an error number.
        case refused(rank: Int, Int32)
        case ended(rank: Int, ExitStatus)
        /// The guardian itself has ended: if by its own doing, after everything in its care.
        case gone
    }

    /// The end of a pipe: its closing, by the system if need be, is the guardian's alarm.
    private let orders: Mutex<Int32?>
    private let process: pid_t

    /// The ranks are started later. News come one after the other from a thread that waits for nothing else.
    /// Throws `DistributedError` (`.launch`) if the system has no process or thread.
    init(_ job: Job, onNews: @escaping @Sendable (News) -> Void) throws(DistributedError) {
        var process: pid_t = 0
        var orders: Int32 = -1
        var news: Int32 = -1
        let error = Self.start(job, &process, &orders, &news)
        guard error == 0 else {
            throw .launch("the guardian process could not be started: \(Platform.describe(error))")
        }
        self.orders = Mutex(orders)
        self.process = process
        let (source, guardian) = (news, process)
        do {
            try BackgroundThread.start { Self.listen(source, guardian, onNews) }
        } catch {
            close(orders)
            Self.listen(source, guardian) { _ in }
            throw error
        }
    }

    private static func start(
        _ job: Job, _ process: inout pid_t, _ orders: inout Int32, _ news: inout Int32
    ) -> Int32 {
        let arguments = CStrings(job.arguments)
        let environments = job.environments.map { CStrings($0.map { $0.key + "=" + $0.value }) }
        let texts = CStrings([job.program, job.directory.socket, job.directory.path])
        // The guardian has copies of all this.
        return withExtendedLifetime((arguments, environments, texts)) {
            let pointers: [UnsafePointer<UnsafeMutablePointer<CChar>?>?] = environments.map {
                UnsafePointer($0.pointers)
            }
            return pointers.withUnsafeBufferPointer { environments in
                job.outputs.withUnsafeBufferPointer { outputs in
                    job.errors.withUnsafeBufferPointer { errors in
                        var raw = apus_job(
                            count: Int32(clamping: job.environments.count), program: texts.pointers[0],
                            arguments: arguments.pointers, environments: environments.baseAddress, input: job.input,
                            nothing: job.nothing, outputs: outputs.baseAddress, errors: errors.baseAddress,
                            shared: job.shared, restarts: job.restarts ? 1 : 0, file: texts.pointers[1],
                            directory: texts.pointers[2])
                        return apus_start_guardian(&raw, &process, &orders, &news)
                    }
                }
            }
        }
    }

    private static func listen(_ source: Int32, _ guardian: pid_t, _ onNews: (News) -> Void) {
        var news = apus_news()
        while true {
            let count = read(source, &news, MemoryLayout<apus_news>.size)
            if count < 0, errno == EINTR { continue }
            guard count == MemoryLayout<apus_news>.size else { break }
            let rank = Int(news.rank)
            switch apus_event(rawValue: numericCast(news.event)) {
            case APUS_FORKED: onNews(.forked(rank: rank, group: news.value))
            case APUS_STARTED: onNews(.started(rank: rank))
            case APUS_REFUSED: onNews(.refused(rank: rank, news.value))
            case APUS_EXITED: onNews(.ended(rank: rank, .exited(news.value)))
            default: onNews(.ended(rank: rank, .signaled(news.value)))
            }
        }
        close(source)
        var status: Int32 = 0
        while waitpid(guardian, &status, 0) < 0, errno == EINTR {}
        onNews(.gone)
    }

    func startRanks() { tell(apus_order(signal: Int32(APUS_START_ALL), rank: 0)) }

    /// Starts a rank again that has ended, where the job has that.
    func restart(_ rank: Int) { tell(apus_order(signal: Int32(APUS_START_AGAIN), rank: Int32(clamping: rank))) }

    /// To every process of the rank's group, if the rank has not ended.
    func signal(_ signal: Int32, rank: Int) { tell(apus_order(signal: signal, rank: Int32(clamping: rank))) }

    /// Kills what still runs, removes the directory, and ends the guardian.
    func end() {
        orders.withLock { orders in
            guard let open = orders else { return }
            close(open)
            // Somebody may have stopped it.
            kill(process, SIGCONT)
            orders = nil
        }
    }

    private func tell(_ order: apus_order) {
        var order = order
        orders.withLock { orders in
            if let orders { _ = write(orders, &order, MemoryLayout<apus_order>.size) }
        }
    }
}
