import CApusProcess
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Passes on what the ranks write, whole lines at a time, so that two never share one.
///
/// Nothing is lost or reordered within a rank, but for stack traces on the way to standard error. When the output cannot be
/// written any more, the ranks' pipes are closed; messages that cannot be written are lost, and nobody ends because of it.
package final class OutputRelay: Sendable {
    /// Is given whole lines of a rank.
    package typealias Log = @Sendable (_ rank: Int, _ lines: [UInt8]) -> Void

    /// Where the ranks write.
    let inlets: [Int32]
    private let outlets: [Int32]
    private let target: Int32
    private let wake: (read: Int32, write: Int32)
    private let log: Log?
    private let finished = Latch()
    private let state: Mutex<State>

    private struct State {
        var streams: [Stream]
        /// Open when all that the rank wrote before it ended has been read.
        var ends: [Latch]
        var isStarted = false
        var isFinishing = false
        /// Ranks that have ended; others may still hold their pipes open.
        var ended: Set<Int> = []
        /// The rank whose unfinished line stands at the end of the output.
        var unfinished: Int?
        /// A sentence that other ranks than this one need not repeat.
        var known: (sentence: [UInt8], rank: Int?)?
        /// Why the output could not be written.
        var failure: Int32?
    }

    fileprivate struct Stream {
        var buffer = LineBuffer()
        var traces = StackTraceFilter()
        var lastLine: ArraySlice<UInt8> = []
    }

    init(ranks: Int, target: Int32, log: Log? = nil) throws(DistributedError) {
        var pipes: [(Int32, Int32)] = []
        for _ in 0...ranks {
            var ends: [Int32] = [-1, -1]
            let error = apus_pipe(&ends)
            guard error == 0 else {
                for (read, write) in pipes { for end in [read, write] { systemClose(end) } }
                throw .launch("no pipe for a rank's output: \(Platform.describe(error))")
            }
            pipes.append((ends[0], ends[1]))
        }
        wake = (pipes[ranks].0, pipes[ranks].1)
        outlets = pipes.dropLast().map(\.0)
        inlets = pipes.dropLast().map(\.1)
        self.target = target
        self.log = log
        state = Mutex(
            State(streams: Array(repeating: Stream(), count: ranks), ends: (0..<ranks).map { _ in Latch() }))
    }

    deinit {
        state.withLock { state in
            if !state.isStarted { for end in inlets + outlets + [wake.read] { systemClose(end) } }
            if !state.isFinishing { systemClose(wake.write) }
        }
    }

    /// Begins to pass on, on a thread of its own. To be called when all ranks have their ends.
    /// Throws `DistributedError` (`.launch`) if there is no thread.
    func start() throws(DistributedError) {
        let first = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard first else { return }
        for inlet in inlets { systemClose(inlet) }
        do {
            try BackgroundThread.start {
                self.run()
                self.finished.open()
            }
        } catch {
            close()
            finished.open()
            throw error
        }
    }

    /// What the system said when the output could not be written; `nil` if all was, or its reader just went away.
    var failure: String? {
        state.withLock { $0.failure }.flatMap { $0 == EPIPE ? nil : Platform.describe($0) }
    }

    /// To be called when all writers are dead: passes on what is still in the pipes and waits for that.
    func finish(within limit: Duration? = nil) async {
        try? start()
        state.withLock { state in
            if !state.isFinishing { systemClose(wake.write) }
            state.isFinishing = true
        }
        await finished.wait(upTo: limit)
    }

    /// Ends the line that the last rank left unfinished, as something else is to follow it. To be called after `finish`.
    func endLine() {
        let isUnfinished = state.withLock { state in
            defer { state.unfinished = nil }
            return state.unfinished != nil
        }
        if finished.isOpen, isUnfinished { _ = write([UInt8(ascii: "\n")]) }
    }

    /// The last line that the rank, which has ended, wrote and that was not blank.
    func lastLine(of rank: Int) async -> String? {
        let end = state.withLock { state in
            state.ended.insert(rank)
            var byte: UInt8 = 0
            if !state.isFinishing, !state.ends[rank].isOpen { systemWrite(wake.write, &byte) }
            return state.ends[rank]
        }
        // Whoever reads the output may not read it.
        await end.wait(upTo: .seconds(2))
        let line = state.withLock { $0.streams[rank].lastLine }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }

    /// The rank, which has ended, will be started again and write more.
    func revive(_ rank: Int) {
        state.withLock { state in
            guard state.ended.remove(rank) != nil, !state.isFinishing else { return }
            state.ends[rank] = Latch()
            state.streams[rank].lastLine = []
        }
    }

    /// From now on, a line with this sentence from any other rank only repeats what is known, and is left out.
    func silence(_ sentence: String, except rank: Int?) {
        state.withLock { $0.known = (Array(sentence.utf8), rank) }
    }

    private func run() {
        var open = Array(outlets.indices)
        var isClosing = false
        var chunk = [UInt8](repeating: 0, count: 65536)
        while !open.isEmpty {
            let unread = state.withLock { state in
                open.filter { state.ended.contains($0) && !state.ends[$0].isOpen }
            }
            var polled = open.map { pollfd(fd: outlets[$0], events: Int16(POLLIN), revents: 0) }
            if !isClosing { polled.append(pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)) }
            let ready = poll(&polled, nfds_t(polled.count), isClosing || !unread.isEmpty ? 0 : -1)
            if ready < 0, errno == EINTR { continue }
            if ready < 0 || ready == 0 && isClosing { break }
            if !isClosing, polled.removeLast().revents != 0 { isClosing = read(wake.read, &chunk, chunk.count) == 0 }
            for (rank, entry) in zip(open, polled) {
                if entry.revents == 0 {
                    guard unread.contains(rank) else { continue }
                    if !pass([], of: rank, isOver: true) { open = [] }
                    noteEnd(of: rank)
                    continue
                }
                let count = read(outlets[rank], &chunk, chunk.count)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                let isOver = count <= 0
                if !pass(chunk[..<max(count, 0)], of: rank, isOver: isOver) { open = [] }
                if isOver {
                    open.removeAll { $0 == rank }
                    noteEnd(of: rank)
                }
            }
        }
        for rank in outlets.indices { _ = pass([], of: rank, isOver: true) }
        close()
    }

    private func close() {
        for outlet in outlets { systemClose(outlet) }
        // Whoever finds a latch shut writes to `wake`: so they open first, and it closes behind the lock.
        state.withLock { state in
            for end in state.ends { end.open() }
            systemClose(wake.read)
        }
    }

    private func noteEnd(of rank: Int) { state.withLock { $0.ends[rank].open() } }

    /// False when the output cannot be written any more.
    private func pass(_ bytes: ArraySlice<UInt8>, of rank: Int, isOver: Bool) -> Bool {
        let output: [UInt8] = state.withLock { state in
            var lines = state.streams[rank].buffer.append(bytes)
            if isOver || state.streams.count == 1 { lines += state.streams[rank].buffer.takeAll() }
            let known = state.known?.rank == rank ? nil : state.known?.sentence
            lines = state.streams[rank].review(lines, known: known, hidesTraces: target == STDERR_FILENO)
            if !lines.isEmpty { log?(rank, lines) }
            guard let last = lines.last else { return [] }
            if let unfinished = state.unfinished, unfinished != rank { lines.insert(UInt8(ascii: "\n"), at: 0) }
            state.unfinished = last == UInt8(ascii: "\n") ? nil : rank
            return lines
        }
        guard let error = write(output) else { return true }
        // Who writes without end is to notice; but a message is no reason to end.
        if target == STDERR_FILENO, error != EPIPE { return true }
        state.withLock { $0.failure = $0.failure ?? error }
        return false
    }

    /// The error number of what failed, if something did.
    private func write(_ bytes: [UInt8]) -> Int32? {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = systemWrite(target, rest)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var wanted = pollfd(fd: target, events: Int16(POLLOUT), revents: 0)
                    poll(&wanted, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}

// The system's calls, outside the type, where its methods of those names would hide them.

private func systemWrite(_ descriptor: Int32, _ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
    write(descriptor, UnsafeRawBufferPointer(rebasing: bytes).baseAddress, bytes.count)
}

private func systemWrite(_ descriptor: Int32, _ byte: inout UInt8) { _ = write(descriptor, &byte, 1) }

private func systemClose(_ descriptor: Int32) { _ = close(descriptor) }

extension OutputRelay.Stream {
    /// The lines to show; remembers the last that is not blank.
    fileprivate mutating func review(_ lines: [UInt8], known: [UInt8]?, hidesTraces: Bool) -> [UInt8] {
        guard hidesTraces else { return lines }
        var shown: [UInt8] = []
        var rest = lines[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = rest[..<end]
            let whole = rest[..<min(end + 1, rest.endIndex)]
            rest = rest[whole.endIndex...]
            guard traces.shows(line), known.map({ !line.contains($0) }) ?? true else { continue }
            shown += whole
            if !line.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) { lastLine = line.prefix(4096) }
        }
        return shown
    }
}
