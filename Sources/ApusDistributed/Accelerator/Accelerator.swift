#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// This process among those that `apus launch` started together; without a launcher, the only one.
///
/// Every process makes the same calls in the same order. Where a call waits for others it waits as long as they work,
/// and ends at once with a `DistributedError` naming the rank when one of them dies, leaves, or makes another call. An
/// error that leaves a closure given to an accelerator also does that to the others. After such an error every further
/// call that needs the others throws it again.
///
/// An accelerator that is released takes no further part. Make one, and keep it as long as the program runs.
public final class Accelerator: Sendable {
    package let communicator: any Communicator

    /// Joins the group named in the environment.
    ///
    /// Throws `DistributedError`: `.environment` if the environment promises other processes but no launcher of ours,
    /// `.connection` if the launcher does not answer.
    public convenience init() async throws {
        self.init(communicator: try await Self.connect(Platform.environment))
    }

    package init(communicator: any Communicator) { self.communicator = communicator }

    deinit { communicator.leave() }

    package static func connect(_ environment: [String: String]) async throws -> any Communicator {
        let place = try RankPlace(environment: environment)
        if let socket = environment[EnvironmentKey.socket], let token = environment[EnvironmentKey.token] {
            return try await LocalCommunicator.connect(socket: socket, token: token, place: place)
        }
        guard place.worldSize == 1 else {
            throw DistributedError.environment(
                "WORLD_SIZE is \(place.worldSize), but nothing connects the processes: start them with `apus launch -n "
                    + "\(place.worldSize)`, or unset WORLD_SIZE to run one alone")
        }
        return InProcessCommunicator.group(of: 1)[0]
    }
}

extension Accelerator {
    /// The number of this process: 0 to `numProcesses - 1`.
    public var processIndex: Int { communicator.rank }
    /// The number of this process among those on its machine.
    public var localProcessIndex: Int { communicator.localRank }
    public var numProcesses: Int { communicator.worldSize }
    /// Whether this is process 0.
    public var isMainProcess: Bool { processIndex == 0 }
    /// Whether this is the first process of its machine.
    public var isLocalMainProcess: Bool { localProcessIndex == 0 }
    public var isLastProcess: Bool { processIndex == numProcesses - 1 }
    /// Whether there are other processes.
    public var useDistributed: Bool { numProcesses > 1 }

    /// Returns when every process has called it.
    public func waitForEveryone() async throws { try await communicator.barrier("waitForEveryone") }

    /// Prints on the first process of each machine, and at once: nothing waits in a buffer.
    public func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
        guard isLocalMainProcess else { return }
        Swift.print(items.map { "\($0)" }.joined(separator: separator) + terminator, terminator: "")
        fflush(nil)
    }
}
