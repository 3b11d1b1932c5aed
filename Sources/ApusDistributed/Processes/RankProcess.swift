import CApusProcess
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A started process, leader of its own process group.
struct RankProcess: Sendable {
    let id: pid_t

    /// The kernel ends a child with the *thread* that started it, so all are started from one that never ends.
    private static let starter = startedThread()
    private static func startedThread() -> NIOThreadPool {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }

    /// What a process is started with. The descriptors stay the caller's to close.
    struct Request: Sendable {
        var program: String
        var arguments: [String]
        var environment: [String: String]
        var input: Int32
        var output: Int32
        var error: Int32
        var guardian: Int32
        /// Stays open in the process under the same number; -1 for none.
        var shared: Int32
    }

    /// Throws `DistributedError` (`.launch`) with the system's reason if the program could not be started.
    static func start(_ request: Request) async throws -> RankProcess {
        try await starter.runIfActive { try spawn(request) }
    }

    private static func spawn(_ request: Request) throws(DistributedError) -> RankProcess {
        let arguments = CStringArray(request.arguments)
        let environment = CStringArray(request.environment.map { $0.key + "=" + $0.value })
        var process: pid_t = 0
        let error = request.program.withCString { program in
            var raw = apus_spawn_request(
                program: program, arguments: arguments.pointers, environment: environment.pointers,
                standard_input: request.input, standard_output: request.output, standard_error: request.error,
                guardian: request.guardian, shared: request.shared)
            return apus_spawn(&raw, &process)
        }
        guard error == 0 else { throw .launch("\(request.program) could not be started: \(Platform.describe(error))") }
        return RankProcess(id: process)
    }

    /// Waits on a thread of the pool. The process stays a zombie, and its ids its own, until `reap`.
    func awaitExit(on pool: NIOThreadPool) async throws -> ExitStatus {
        try await pool.runIfActive {
            var status: Int32 = -1
            var signal: Int32 = -1
            let error = apus_await_exit(id, &status, &signal)
            guard error == 0 else {
                throw DistributedError.launch("process \(id) cannot be waited for: \(Platform.describe(error))")
            }
            return signal >= 0 ? .signaled(signal) : .exited(status)
        }
    }

    /// To every process of the group. Not to be called after `reap`.
    func signalGroup(_ signal: Int32) { kill(-id, signal) }

    /// Kills what is left of the group and lets the system forget the process, which must have ended.
    func reap() {
        signalGroup(SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
    }
}

/// Strings for C: an array of pointers with a null at its end.
private final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[strings.count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
