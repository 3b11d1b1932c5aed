import CApusKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads that share the chunks of one job after another.
///
/// The calling thread is one of the team. The others spin for a moment after a job, since the next one follows within
/// microseconds while a model runs, and then sleep. Each begins with a stretch of neighbouring chunks, which lie one after
/// the other in memory, and then helps the others with theirs; so a job's result must not depend on who computes what.
package final class ThreadTeam: @unchecked Sendable {
    package typealias Body = (_ chunk: Int, _ thread: Int) -> Void

    /// Threads that there are, the caller's own among them: fewer than were asked for if the system refused some.
    package private(set) var count = 1
    private let jobs = Atomic<Int>(0)
    /// The next chunk of each thread's stretch, a cache line apart.
    private let nextChunks: UnsafeMutablePointer<Atomic<Int>>
    private static let spacing = 16
    private let busy = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)
    private let wakeup = Wakeup()
    private let exclusive = Mutex(())
    // Complete, as `count` is, before the first job.
    private var threads: [pthread_t] = []
    private let capacity: Int
    private let cores: CoreSet?

    // Written by the caller before `jobs` grows (release), read by the others after (acquire).
    private var chunks = 0
    private var body: Body?

    /// - Parameters:
    ///   - cores: those that the threads run on; the caller's own is its affair.
    ///   - stackByteCount: of each thread: little, since kernels need little, and addresses may be scarce.
    package init(count: Int, cores: CoreSet? = nil, stackByteCount: Int = 1 << 20) {
        self.cores = cores
        capacity = max(count, 1)
        nextChunks = .allocate(capacity: capacity * Self.spacing)
        for index in 0..<capacity * Self.spacing { (nextChunks + index).initialize(to: Atomic(0)) }
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, stackByteCount) == 0 else { return }
        while self.count < capacity, let thread = start(self.count, &attributes) {
            threads.append(thread)
            self.count += 1
        }
    }

    private func start(_ thread: Int, _ attributes: inout pthread_attr_t) -> pthread_t? {
        let start = Unmanaged.passRetained(ThreadStart(team: self, thread: thread))
        #if canImport(Darwin)
            var handle: pthread_t?
        #else
            var handle = pthread_t()
        #endif
        guard pthread_create(&handle, &attributes, { ThreadStart.run($0) }, start.toOpaque()) == 0 else {
            start.release()
            return nil
        }
        return handle
    }

    deinit {
        nextChunks.deinitialize(count: capacity * Self.spacing)
        nextChunks.deallocate()
    }

    /// Ends the threads. The team must not run anything afterwards.
    package func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        jobs.add(1, ordering: .sequentiallyConsistent)
        wakeup.signalAll()
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    /// Calls `body` once for each chunk, from any thread of the team, and returns when all calls have.
    package func run(chunks: Int, _ body: Body) {
        guard chunks > 1, !threads.isEmpty else {
            for chunk in 0..<max(chunks, 0) { body(chunk, 0) }
            return
        }
        exclusive.withLock { _ in
            withoutActuallyEscaping(body) { body in
                self.chunks = chunks
                self.body = body
                for thread in 0..<count {
                    nextChunks[thread * Self.spacing].store(stretch(of: thread).lowerBound, ordering: .relaxed)
                }
                busy.store(threads.count, ordering: .relaxed)
                jobs.add(1, ordering: .sequentiallyConsistent)
                if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeup.signalAll() }
                work(thread: 0, body)
                awaitOthers()
                self.body = nil
            }
        }
    }

    private func stretch(of thread: Int) -> Range<Int> {
        chunks * thread / count..<chunks * (thread + 1) / count
    }

    private func work(thread: Int, _ body: Body) {
        for offset in 0..<count {
            let owner = (thread + offset) % count
            let end = stretch(of: owner).upperBound
            while true {
                let chunk = nextChunks[owner * Self.spacing].add(1, ordering: .relaxed).oldValue
                guard chunk < end else { break }
                body(chunk, thread)
            }
        }
    }

    /// Some 20 to 100 microseconds: longer than the pauses between the operations of a model, shorter than a time slice.
    private static let spins = 1_000

    private func awaitOthers() {
        var spins = 0
        while busy.load(ordering: .acquiring) > 0 {
            // On a machine with more threads than cores, the thread that is waited for may need this core.
            if spins < Self.spins { apus_spin_hint() } else { sched_yield() }
            spins += 1
        }
    }

    fileprivate func serve(thread: Int) {
        cores?.pinCurrentThread()
        var seen = 0
        while true {
            awaitJob(after: seen)
            seen &+= 1
            if stopping.load(ordering: .acquiring) { return }
            if let body { work(thread: thread, body) }
            busy.subtract(1, ordering: .releasing)
        }
    }

    private func awaitJob(after seen: Int) {
        for _ in 0..<Self.spins {
            if jobs.load(ordering: .acquiring) != seen { return }
            apus_spin_hint()
        }
        // Announced before the last look, so that a job that starts in between finds a sleeper to wake.
        sleepers.add(1, ordering: .sequentiallyConsistent)
        wakeup.wait { jobs.load(ordering: .sequentiallyConsistent) == seen }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
    }
}

private final class ThreadStart {
    let team: ThreadTeam
    let thread: Int

    init(team: ThreadTeam, thread: Int) {
        self.team = team
        self.thread = thread
    }

    static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let start = Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue()
        start.team.serve(thread: start.thread)
        return nil
    }
}
