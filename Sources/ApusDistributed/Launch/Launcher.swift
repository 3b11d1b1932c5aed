import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs one program as several ranks on this machine.
///
/// Every rank leads its own process group, writes whole lines to this process's outputs, and dies with this process,
/// however it dies. Rank 0 reads this process's input. When one rank fails, the others are ended.
package struct Launcher: Sendable {
    package struct Outcome: Sendable, Equatable {
        /// The failing rank's own, 128+n after signal n, 0 if all went well.
        package let code: Int32
        /// One line on what went wrong, naming the rank.
        package let message: String?
    }

    package let count: Int
    package let command: [String]
    /// From the request to end (SIGTERM after a failure, or the signal passed on) to SIGKILL.
    package var graceAfterFailure: Duration = .seconds(1)
    package var graceAfterSignal: Duration = .seconds(5)

    /// Ranks that learn of a failure where they wait may end by themselves before they are sent SIGTERM.
    private static let delayOfTermination: Duration = .milliseconds(200)

    package init(count: Int, command: [String]) {
        self.count = count
        self.command = command
    }

    /// Returns when the job is over and no process of it is left.
    /// Throws `DistributedError` (`.launch`) if the program cannot be started.
    package func run() async throws -> Outcome {
        guard count > 0, count <= 4096 else {
            throw DistributedError.invalidArgument("\(count) processes cannot be started")
        }
        let (events, sink) = AsyncStream.makeStream(of: Step.self)
        let watch = SignalWatch { sink.yield(.event(.signal($0))) }
        defer { withExtendedLifetime(watch) {} }
        let token = EnvironmentKey.freshToken()
        let ranks = try rankSet(token)
        let hub = GroupHub(worldSize: count) { error in
            ranks.error.silence(error.message, except: error.rank)
            sink.yield(.event(.broken(error)))
        }
        do {
            try await hub.listen(at: ranks.directory.socket, token: token)
            try await ranks.start { rank, status in
                Task {
                    // The hub first: it knows who waited for the rank.
                    await hub.ended(rank, status)
                    sink.yield(.event(.exited(rank: rank, status)))
                }
            }
        } catch {
            hub.close()
            await ranks.end(outputWithin: .seconds(1), failed: true)
            throw error
        }
        let state = await follow(events, sink, ranks)
        hub.close()
        let failed = state.code != 0
        await ranks.end(outputWithin: failed ? .milliseconds(500) : nil, failed: failed)
        if let reason = ranks.output.failure, state.hasNoOtherFailure {
            return Outcome(code: 1, message: "standard output cannot be written: \(reason)")
        }
        return Outcome(code: state.code, message: failed ? await message(state, ranks) : nil)
    }

    private func rankSet(_ token: String) throws -> RankSet {
        let input = try TerminalInput.forRankZero()
        defer { if let input, input != STDIN_FILENO { close(input) } }
        return try RankSet(
            count: count, command: command, input: input, outputTo: STDOUT_FILENO, errorTo: STDERR_FILENO
        ) { rank, socket in
            EnvironmentKey.environment(
                rank: rank, of: count, token: token, socketKey: EnvironmentKey.socket, socket: socket)
        }
    }

    private enum Step: Sendable {
        case event(JobState.Event)
        case send(signal: Int32)
    }

    private func follow(
        _ events: AsyncStream<Step>, _ sink: AsyncStream<Step>.Continuation, _ ranks: RankSet
    ) async -> JobState {
        var state = JobState(count: count)
        func later(_ signal: Int32, after delay: Duration) {
            Task {
                try? await Task.sleep(for: delay)
                sink.yield(.send(signal: signal))
            }
        }
        for await step in events {
            switch step {
            case .send(let signal): ranks.signal(signal, ranks: state.ranksToEnd())
            case .event(let event):
                switch state.observe(event) {
                case .endOthers:
                    later(SIGTERM, after: Self.delayOfTermination)
                    later(SIGKILL, after: Self.delayOfTermination + graceAfterFailure)
                case .passOn(let signal):
                    ranks.signal(signal, ranks: state.running)
                    later(SIGKILL, after: graceAfterSignal)
                case .kill: ranks.signal(SIGKILL, ranks: state.running)
                case nil: break
                }
            }
            if state.isOver { break }
        }
        return state
    }

    private func message(_ state: JobState, _ ranks: RankSet) async -> String? {
        guard let sentence = state.sentence else { return nil }
        // Of an error that left a closure, the sentence says all.
        guard state.signal == nil, state.failure?.code != .threw, let culprit = state.culprit,
            let words = await ranks.error.lastLine(of: culprit),
            !words.contains(sentence)
        else { return sentence }
        let shown = words.count > 300 ? words.prefix(300) + "..." : words[...]
        return sentence + "; its last words: " + shown
    }
}
