import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs an actor on a thread of its own, so that hours of arithmetic never hold a thread of Swift's cooperative pool.
package final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Of a task that lets the jobs before it go first.
        var resumption: UnsafeContinuation<Void, Never>?
        var stopped = false
    }

    private let queue = Mutex(Queue())
    private let arrived = DispatchSemaphore(value: 0)

    /// Throws `GenerationError` (`.resources`) if the system has no thread left.
    init() throws(GenerationError) {
        let context = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = pthread_create(&thread, nil, { ThreadExecutor.run($0) }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw .resources("the system refuses another thread (error \(status))")
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
    }

    /// Seconds of a processor that the calling thread has used.
    package static var currentThreadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Holds the calling thread, which must be one of these.
    static func sleep(seconds: Double) { usleep(UInt32(clamping: Int(seconds * 1e6))) }

    /// Ends the thread once its jobs are done.
    func stop() {
        queue.withLock { $0.stopped = true }
        arrived.signal()
    }

    /// Lets what waits for the thread go first. Called on it.
    ///
    /// `Task.yield` would go through a thread of the cooperative pool and back, which takes longer than a step of a small model.
    func letOthersIn(isolation: isolated (any Actor)? = #isolation) async {
        guard queue.withLock({ !$0.jobs.isEmpty }) else { return }
        await withUnsafeContinuation { continuation in
            queue.withLock { $0.resumption = continuation }
            arrived.signal()
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        arrived.signal()
    }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        Unmanaged<ThreadExecutor>.fromOpaque(context).takeRetainedValue().serve()
        return nil
    }

    private func serve() {
        while true {
            arrived.wait()
            let now = queue.withLock { queue in
                defer { (queue.jobs, queue.resumption) = ([], nil) }
                return queue
            }
            for job in now.jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            now.resumption?.resume()
            if now.stopped, now.jobs.isEmpty, now.resumption == nil { return }
        }
    }
}
