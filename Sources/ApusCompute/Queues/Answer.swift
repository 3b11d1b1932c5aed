import Synchronization

/// What a command leaves for the one who waits for it.
final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, ComputeError>?>(nil)

    func set(_ result: Result<Value, ComputeError>) { value.withLock { $0 = result } }

    func get() -> Result<Value, ComputeError>? { value.withLock { $0 } }
}
