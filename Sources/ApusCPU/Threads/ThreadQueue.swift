package import ApusCompute
import CApusKernels
import Synchronization

/// A command queue with a thread of its own, on some cores.
package final class ThreadQueue: CommandQueue {
    private let core: QueueCore

    /// Throws `ComputeError` (`.unsupported`) if the system refuses the thread.
    package init(cores: CoreSet?) throws(ComputeError) {
        core = QueueCore(cores: cores)
        try core.start()
    }

    deinit { core.stop() }

    package func submit(_ command: @escaping Command) { core.submit(command) }

    package func record() -> any DeviceEvent { QueueEvent(core, core.submittedCount) }

    package func wait(for event: any DeviceEvent) {
        if let event = event as? QueueEvent, event.core === core { return }
        submit { () throws(ComputeError) in try event.wait() }
    }
}

private final class QueueEvent: DeviceEvent {
    let core: QueueCore
    private let number: Int

    init(_ core: QueueCore, _ number: Int) {
        self.core = core
        self.number = number
    }

    func wait() throws(ComputeError) { try core.awaitCommand(number) }
}

/// What the queue and its thread have in common.
private final class QueueCore: Sendable {
    private struct State {
        var commands: [CommandQueue.Command] = []
        var stopped = false
        var failure: ComputeError?
        /// Numbers of the commands that threads sleep for.
        var awaited: [Int] = []
    }

    private let cores: CoreSet?
    private let state = Mutex(State())
    private let submitted = Atomic<Int>(0)
    private let completed = Atomic<Int>(0)
    /// Of a thread that sleeps until a command comes.
    private let idle = Atomic<Int>(0)
    /// The least of `awaited`. Waking threads for every command that is done would cost as much as many commands do.
    private let nextAwaited = Atomic<Int>(.max)
    private let arrived = Wakeup()
    private let done = Wakeup()

    /// Some 20 to 100 microseconds, as for `ThreadTeam`.
    private static let spins = 1_000

    init(cores: CoreSet?) { self.cores = cores }

    var submittedCount: Int { submitted.load(ordering: .acquiring) }

    func start() throws(ComputeError) {
        let status = DetachedThread.start {
            self.cores?.pinCurrentThread()
            self.serve()
        }
        guard status == 0 else { throw .unsupported("the system refuses another thread (error \(status))") }
    }

    func stop() {
        state.withLock { $0.stopped = true }
        submitted.add(1, ordering: .sequentiallyConsistent)
        arrived.signalAll()
    }

    func submit(_ command: @escaping CommandQueue.Command) {
        state.withLock { state in
            state.commands.append(command)
            submitted.add(1, ordering: .sequentiallyConsistent)
        }
        if idle.load(ordering: .sequentiallyConsistent) > 0 { arrived.signalAll() }
    }

    func awaitCommand(_ number: Int) throws(ComputeError) {
        func isPending() -> Bool { completed.load(ordering: .sequentiallyConsistent) < number }
        for _ in 0..<Self.spins where isPending() { apus_spin_hint() }
        if isPending() {
            // Announced before the last look, as in `ThreadTeam`.
            announce { $0.append(number) }
            done.wait(while: isPending)
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func announce(_ change: (inout [Int]) -> Void) {
        state.withLock { state in
            change(&state.awaited)
            nextAwaited.store(state.awaited.min() ?? .max, ordering: .sequentiallyConsistent)
        }
    }

    private func serve() {
        var seen = 0
        while true {
            awaitCommands(after: seen)
            var (commands, stopped) = state.withLock { state in
                defer { state.commands = [] }
                return (state.commands, state.stopped)
            }
            seen += commands.count
            commands.reverse()
            // What a command holds is free before it counts as done.
            while !commands.isEmpty {
                execute(commands.removeLast())
                let number = completed.add(1, ordering: .sequentiallyConsistent).newValue
                if number >= nextAwaited.load(ordering: .sequentiallyConsistent) {
                    announce { $0.removeAll { $0 <= number } }
                    done.signalAll()
                }
            }
            if stopped { return }
        }
    }

    private func execute(_ command: consuming @escaping CommandQueue.Command) {
        guard state.withLock({ $0.failure == nil }) else { return }
        do throws(ComputeError) {
            try command()
        } catch {
            state.withLock { $0.failure = error }
        }
    }

    private func awaitCommands(after seen: Int) {
        func isIdle() -> Bool { submitted.load(ordering: .sequentiallyConsistent) == seen }
        for _ in 0..<Self.spins where isIdle() { apus_spin_hint() }
        guard isIdle() else { return }
        idle.add(1, ordering: .sequentiallyConsistent)
        arrived.wait(while: isIdle)
        idle.subtract(1, ordering: .sequentiallyConsistent)
    }
}
