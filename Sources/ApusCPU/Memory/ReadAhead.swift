import ApusCompute
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Has the system bring parts of mapped files into its cache before they are used, on threads of its own: a fault at every
/// few pages would get little of what a disk can give.
final class ReadAhead: Sendable {
    private struct Request: Sendable {
        nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
        /// Keeps the mapping.
        let owner: any Sendable
    }

    private final class Core: Sendable {
        struct State {
            var requests: [Request] = []
            var stopped = false
        }

        let state = Mutex(State())
        let arrived = Wakeup()

        func serve() {
            while true {
                arrived.wait { state.withLock { $0.requests.isEmpty && !$0.stopped } }
                let request = state.withLock { state in state.requests.isEmpty ? nil : state.requests.removeFirst() }
                if let request {
                    ReadAhead.bring(request.bytes)
                } else if state.withLock({ $0.stopped }) {
                    return
                }
            }
        }
    }

    private let core = Core()
    /// Bytes that a thread asks for at a time.
    private static let piece = 4 << 20
    /// Two requests keep a disk busy.
    private static let threads = 2

    /// Where the system has no thread left, pages come when they are touched.
    init() {
        for _ in 0..<Self.threads { _ = DetachedThread.start { [core] in core.serve() } }
    }

    deinit {
        core.state.withLock { state in
            state.requests = []
            state.stopped = true
        }
        core.arrived.signalAll()
    }

    /// Asks for the bytes of some weights, in their order, behind what was asked for before. Returns at once.
    func ask(for weights: [WeightSource]) {
        let requests = weights.flatMap { weight in
            stride(from: 0, to: weight.bytes.count, by: Self.piece).map { start in
                let end = min(start + Self.piece, weight.bytes.count)
                return Request(
                    bytes: UnsafeRawBufferPointer(rebasing: weight.bytes[start..<end]), owner: weight.owner)
            }
        }
        core.state.withLock { $0.requests += requests }
        core.arrived.signalAll()
    }

    private static func bring(_ bytes: UnsafeRawBufferPointer) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard let base = bytes.baseAddress, page > 0 else { return }
        let offset = Int(bitPattern: base) % page
        let start = UnsafeMutableRawPointer(mutating: base - offset)
        let length = bytes.count + offset
        if isThere(start, length, page) { return }
        #if canImport(Glibc)
            // MADV_POPULATE_READ, which Linux has had since 5.14 and headers later: reads the pages and maps them.
            if madvise(start, length, 22) == 0 { return }
        #endif
        madvise(start, length, MADV_WILLNEED)
    }

    /// Whether some pages of a stretch stand in memory; then the others most likely do too.
    private static func isThere(_ start: UnsafeMutableRawPointer, _ length: Int, _ page: Int) -> Bool {
        [0, length / 2, length - 1].allSatisfy { offset in
            let place = start + offset / page * page
            #if canImport(Darwin)
                var resident: CChar = 0
            #else
                var resident: UInt8 = 0
            #endif
            return mincore(place, page, &resident) == 0 && resident & 1 == 1
        }
    }
}
