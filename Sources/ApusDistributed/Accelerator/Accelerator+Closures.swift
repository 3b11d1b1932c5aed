extension Accelerator {
    /// Runs the closure on the main process, and when that is done on all others at once. Gives its result.
    nonisolated(nonsending) public func mainProcessFirst<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        try await run(first: isMainProcess, "mainProcessFirst", body)
    }

    /// Runs the closure on the first process of each machine, and when that is done on all others at once.
    nonisolated(nonsending) public func localMainProcessFirst<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        try await run(first: isLocalMainProcess, "localMainProcessFirst", body)
    }

    /// Runs the closure on the main process only; `nil` elsewhere. Does not wait.
    @discardableResult
    nonisolated(nonsending) public func onMainProcess<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result? {
        isMainProcess ? try await run("onMainProcess", body) : nil
    }

    /// Runs the closure on the first process of each machine only; `nil` elsewhere. Does not wait.
    @discardableResult
    nonisolated(nonsending) public func onLocalMainProcess<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result? {
        isLocalMainProcess ? try await run("onLocalMainProcess", body) : nil
    }

    /// Runs the closure on the last process only; `nil` elsewhere. Does not wait.
    @discardableResult
    nonisolated(nonsending) public func onLastProcess<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result? {
        isLastProcess ? try await run("onLastProcess", body) : nil
    }

    /// Runs the closure on one process only; `nil` elsewhere. Does not wait.
    /// Throws `DistributedError` (`.invalidArgument`) if there is no such process.
    @discardableResult
    nonisolated(nonsending) public func onProcess<Result>(
        _ index: Int, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result? {
        try communicator.check(index)
        return processIndex == index ? try await run("onProcess", body) : nil
    }

    /// Runs the closure on one process of each machine only; `nil` elsewhere. Does not wait.
    /// Throws `DistributedError` (`.invalidArgument`) if the machine has no such process.
    @discardableResult
    nonisolated(nonsending) public func onLocalProcess<Result>(
        _ index: Int, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result? {
        guard index >= 0, index < communicator.localWorldSize else {
            throw DistributedError.invalidArgument(
                "there is no local process \(index) among \(communicator.localWorldSize)")
        }
        return localProcessIndex == index ? try await run("onLocalProcess", body) : nil
    }
}

extension Accelerator {
    /// Runs a closure of the user's. An error that leaves it is told to the others, so that none waits for this rank.
    nonisolated(nonsending) func run<Result>(
        _ name: String, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch {
            await abort(name, error)
            throw error
        }
    }

    /// Makes a call that every rank must make, the only one of this rank as long as it lasts.
    nonisolated(nonsending) func collective<Result>(
        _ name: String, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        do {
            try communicator.turn.take(name, rank: processIndex)
        } catch {
            communicator.doubt(error)
            throw error
        }
        let result: Result
        do {
            result = try await body()
        } catch {
            _ = communicator.turn.give()
            throw error
        }
        if let clash = communicator.turn.give() { throw clash }
        return result
    }

    nonisolated(nonsending) func barrier(_ name: String) async throws {
        try await collective(name) { try await communicator.barrier(name) }
    }

    func abort(_ name: String, _ error: any Error) async {
        let text = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        await communicator.abort(in: name, String(text.prefix(500)))
    }

    private nonisolated(nonsending) func run<Result>(
        first: Bool, _ name: String, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        if !first { try await barrier(name) }
        let result = try await run(name, body)
        if first { try await barrier(name) }
        return result
    }
}
