import ApusCompute
import ApusTestSupport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Queues that do nothing until somebody waits, and then what is waited for as late, and across each other in as odd an
/// order, as is legal.
final class LateWorld: Sendable {
    private enum Item {
        case command(CommandQueue.Command)
        case wait(LateEvent)
    }

    private struct State {
        var queues: [[Item]] = []
        var done: [Int] = []
        /// Queues whose first command another thread of the host is running.
        var busy: Set<Int> = []
        var random: SplitMix64
        var failure: ComputeError?
        /// Times that the host waited.
        var waits = 0
        var onWait: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(random: SplitMix64(seed: seed))) }

    var waits: Int { state.withLock { $0.waits } }

    /// Calls something whenever the host waits.
    func onWait(_ body: (@Sendable () -> Void)?) { state.withLock { $0.onWait = body } }

    func makeQueue() -> LateQueue {
        state.withLock { state in
            state.queues.append([])
            state.done.append(0)
            return LateQueue(self, state.queues.count - 1)
        }
    }

    fileprivate func submit(_ command: @escaping CommandQueue.Command, to queue: Int) {
        state.withLock { $0.queues[queue].append(.command(command)) }
    }

    fileprivate func record(_ queue: Int) -> LateEvent {
        state.withLock { state in
            LateEvent(self, queue, state.done[queue] + state.queues[queue].count + (state.busy.contains(queue) ? 1 : 0))
        }
    }

    fileprivate func wait(for event: LateEvent, in queue: Int) {
        state.withLock { $0.queues[queue].append(.wait(event)) }
    }

    /// Runs commands of any queue until an event has come.
    fileprivate func run(until event: LateEvent) throws(ComputeError) {
        let onWait = state.withLock { state in
            state.waits += 1
            return state.onWait
        }
        onWait?()
        while let next = try next(until: event) {
            if let command = next.command { run((next.queue, command)) } else { sched_yield() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// The next command of a queue that can go on, none if another thread is at it; `nil` once the event has come.
    private func next(until event: LateEvent) throws(ComputeError) -> (queue: Int, command: CommandQueue.Command?)? {
        let result = state.withLock { state -> Result<(Int, CommandQueue.Command?)?, ComputeError> in
            while state.done[event.queue] < event.number {
                let ready = state.queues.indices.filter { queue in
                    if state.busy.contains(queue) { return false }
                    return switch state.queues[queue].first {
                    case .command: true
                    case .wait(let other): state.done[other.queue] >= other.number
                    case nil: false
                    }
                }
                guard let queue = ready.randomElement(using: &state.random) else {
                    if !state.busy.isEmpty { return .success((0, nil)) }
                    return .failure(.deviceFailed("the queues wait for each other"))
                }
                switch state.queues[queue].removeFirst() {
                case .command(let command):
                    state.busy.insert(queue)
                    return .success((queue, command))
                case .wait: state.done[queue] += 1
                }
            }
            return .success(nil)
        }
        return try result.get()
    }

    private func run(_ next: (queue: Int, command: CommandQueue.Command)) {
        if state.withLock({ $0.failure == nil }) {
            do throws(ComputeError) { try next.command() } catch { state.withLock { $0.failure = error } }
        }
        state.withLock { state in
            state.busy.remove(next.queue)
            state.done[next.queue] += 1
        }
    }
}

final class LateEvent: DeviceEvent {
    private let world: LateWorld
    fileprivate let queue: Int
    fileprivate let number: Int

    fileprivate init(_ world: LateWorld, _ queue: Int, _ number: Int) {
        self.world = world
        self.queue = queue
        self.number = number
    }

    func wait() throws(ComputeError) { try world.run(until: self) }
}

final class LateQueue: CommandQueue {
    private let world: LateWorld
    private let number: Int

    fileprivate init(_ world: LateWorld, _ number: Int) {
        self.world = world
        self.number = number
    }

    func submit(_ command: @escaping Command) { world.submit(command, to: number) }

    func record() -> any DeviceEvent { world.record(number) }

    func wait(for event: any DeviceEvent) {
        guard let event = event as? LateEvent else { return submit { () throws(ComputeError) in try event.wait() } }
        world.wait(for: event, in: number)
    }
}
