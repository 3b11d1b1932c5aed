import CApusProcess

/// Threads for what blocks: those that Swift's tasks share are few, and a library's own end the program when the system
/// has no more.
package enum BackgroundThread {
    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Throws `DistributedError` (`.launch`) if the system has no thread.
    package static func start(_ run: @escaping @Sendable () -> Void) throws(DistributedError) {
        let body = Unmanaged.passRetained(Body(run))
        let error = apus_start_thread(
            { context in
                guard let context else { return }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }, body.toOpaque())
        guard error != 0 else { return }
        body.release()
        throw .launch("no thread could be started: \(Platform.describe(error))")
    }
}
