/// Runs the commands of one device, one after the other, some time after they were given.
package protocol CommandQueue: AnyObject, Sendable {
    typealias Command = @Sendable () throws(ComputeError) -> Void

    /// Runs a command after all that were given before. Once one has thrown, those that follow are left out, and every
    /// event from there on throws the same.
    func submit(_ command: @escaping Command)

    /// The moment at which all that was given so far is done.
    func record() -> any DeviceEvent

    /// What is given from now on begins after a moment of this queue or another.
    func wait(for event: any DeviceEvent)
}

extension CommandQueue {
    /// Runs something on the queue and waits for it.
    package func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(ComputeError) -> Result
    ) throws(ComputeError) -> Result {
        let answer = Answer<Result>()
        submit { () throws(ComputeError) in
            do throws(ComputeError) { answer.set(.success(try body())) } catch { answer.set(.failure(error)) }
        }
        try record().wait()
        guard let result = answer.get() else { throw .deviceFailed("a command of the device was left out") }
        return try result.get()
    }
}
