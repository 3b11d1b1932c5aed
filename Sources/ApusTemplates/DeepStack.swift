#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs work that recurses as deep as a template says on a thread whose stack is large enough for it.
enum DeepStack {
    static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let task = Task(work)
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { throw noThread }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, Limits.stackByteCount + (4 << 20)) == 0 else { throw noThread }
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let context = Unmanaged.passRetained(task as Runnable)
        let status = pthread_create(&thread, &attributes, { DeepStack.start($0) }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw noThread
        }
        #if canImport(Darwin)
            if let thread { pthread_join(thread, nil) }
        #else
            pthread_join(thread, nil)
        #endif
        guard let outcome = task.outcome else { throw noThread }
        return try outcome.get()
    }

    private static var noThread: TemplateError { TemplateError(.limit, "no thread can be started for it") }

    private class Runnable {
        func run() {}
    }

    private final class Task<Result>: Runnable {
        private let work: () throws(TemplateError) -> Result
        private(set) var outcome: Swift.Result<Result, TemplateError>?

        init(_ work: @escaping () throws(TemplateError) -> Result) { self.work = work }

        override func run() {
            do { outcome = .success(try work()) } catch { outcome = .failure(error) }
        }
    }

    #if canImport(Darwin)
        private static func start(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
            Unmanaged<Runnable>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }
    #else
        private static func start(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
            guard let context else { return nil }
            Unmanaged<Runnable>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }
    #endif
}

/// How much of a thread's stack is left, measured from where it was made.
struct StackGauge {
    private let base: UInt

    init() { base = Self.here }

    /// Whether more is used than recursion may use.
    var isFull: Bool { base &- Self.here > UInt(Limits.stackByteCount) && base > Self.here }

    @inline(never)
    private static var here: UInt {
        var marker: UInt8 = 0
        return withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
    }
}
