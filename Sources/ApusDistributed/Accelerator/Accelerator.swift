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
/// Calls that others must make too are made one after the other: two at once are an error of both. A task that is cancelled
/// while it waits in one gets `CancellationError`, and the others an error that names its process.
///
/// All accelerators of a program share its group, which this process leaves when the last of them is released. Keep one
/// as long as the program runs.
public final class Accelerator: Sendable {
    let membership: Membership
    package var communicator: any Communicator { membership.communicator }

    /// Joins the group named in the environment, or the one that another accelerator of this program is in.
    ///
    /// - Parameter timeout: how long to wait for others at a call before that is an error, which names those that did not
    ///   come; by default as long as they work. The first accelerator of a group decides.
    /// - Throws: `DistributedError`: `.environment` if the environment promises other processes but no launcher of ours,
    ///   `.connection` if the launcher does not answer, `.invalidArgument` for a timeout that is not positive.
    public init(timeout: Duration? = nil) async throws {
        membership = try await GroupEntrance.shared.join(timeout: timeout)
    }

    package init(communicator: any Communicator) { membership = Membership(communicator: communicator) }

    package static func connect(
        _ environment: [String: String], timeout: Duration? = nil
    ) async throws -> any Communicator {
        let place = try RankPlace(environment: environment)
        if let socket = environment[EnvironmentKey.socket], let token = environment[EnvironmentKey.token] {
            return try await LocalCommunicator.connect(socket: socket, token: token, place: place, timeout: timeout)
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
    public func waitForEveryone() async throws { try await barrier("waitForEveryone") }

    /// Prints on the first process of each machine, and at once: nothing waits in a buffer.
    public func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
        guard isLocalMainProcess else { return }
        Swift.print(items.map { "\($0)" }.joined(separator: separator) + terminator, terminator: "")
        fflush(nil)
    }
}
