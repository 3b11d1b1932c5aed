/// A thread for calls that block: Swift's own threads are few, and everything else waits for them.
package actor OwnThread {
    private let executor: ThreadExecutor

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Throws `GenerationError` (`.resources`) if the system has no thread left.
    package init() throws(GenerationError) { executor = try ThreadExecutor() }

    deinit { executor.stop() }

    package func run<Result: Sendable>(_ body: @Sendable () throws -> Result) rethrows -> Result { try body() }
}
