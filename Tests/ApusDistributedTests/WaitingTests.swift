import ApusCompute
import ApusDistributed
import ApusTestSupport
import Testing

/// Calls that are cancelled, take too long, come two at once, or carry too much.
@Suite("Waiting for others")
struct WaitingTests {
    private func launch(_ count: Int, _ arguments: [String]) async throws -> CommandRun.Outcome {
        try await CommandRun(
            BuiltProgram.apus,
            ["launch", "-n", String(count), "--grace-period", "20", BuiltProgram.rank, "wait"] + arguments
        ).finish()
    }

    @Test(arguments: [true, false])
    func aCancelledCallEndsItsOwnWaitAndTheOthers(whileItWaits: Bool) async throws {
        let cancelled = Latch()
        let results = await withRanks(3) { accelerator in
            guard accelerator.processIndex == 1 else {
                await cancelled.wait()
                return try await accelerator.waitForEveryone()
            }
            let waiting = Task {
                if !whileItWaits { while !Task.isCancelled { await Task.yield() } }
                _ = try await accelerator.gatherObject([1])
            }
            if whileItWaits { try await Task.sleep(for: .milliseconds(100)) }
            waiting.cancel()
            let result = await waiting.result
            #expect(throws: CancellationError.self) { try result.get() }
            cancelled.open()
            try await accelerator.waitForEveryone()
        }
        #expect(results.messages == Array(repeating: "rank 1 was cancelled in gatherObject", count: 3))
        for case .failure(let error) in results {
            #expect((error as? DistributedError)?.code == .cancelled && (error as? DistributedError)?.rank == 1)
        }
    }

    @Test func whoWaitsLearnsWhoWasCancelled() async throws {
        let results = await withRanks(3) { accelerator in
            guard accelerator.processIndex == 2 else { return try await accelerator.waitForEveryone() }
            try await Task.sleep(for: .milliseconds(300))
            let waiting = Task { try await accelerator.waitForEveryone() }
            waiting.cancel()
            try await waiting.value
        }
        for result in results.dropLast() {
            #expect(result.message?.hasPrefix("rank 2 was cancelled in waitForEveryone") == true, "\(result)")
        }
        #expect(results[2].message == "CancellationError()")
    }

    @Test func aCancelledReceiverDoesNotWait() async {
        let results = await withRanks(2) { accelerator in
            if accelerator.processIndex == 1 { return try await accelerator.waitForEveryone() }
            let waiting = Task { _ = try await accelerator.communicator.receive(from: 1) }
            try await Task.sleep(for: .milliseconds(20))
            waiting.cancel()
            try await waiting.value
        }
        #expect(results[0].message == "CancellationError()")
        #expect(results[1].message?.hasPrefix("rank 0 was cancelled in receive") == true)
    }

    @Test func cancellationBetweenProcesses() async throws {
        let outcome = try await launch(3, ["cancel", "1"])
        #expect(outcome.output == "rank 1: CancellationError()\n")
        #expect(
            outcome.errorLines.last?.hasPrefix("apus launch: rank 1 was cancelled in gatherObject") == true,
            "\(outcome.error)")
        #expect(outcome.code == 1 && outcome.errorLines.count <= 3)
    }

    @Test func whoeverDoesNotComeInTimeIsNamed() async throws {
        let over = Latch()
        let ranks = InProcessCommunicator.group(of: 3, timeout: .seconds(1))
        let results = await withRanks(ranks) { accelerator in
            if accelerator.processIndex == 1 { await over.wait() }
            defer { over.open() }
            _ = try await accelerator.gatherObject([1])
        }
        for result in results {
            #expect(
                result.message
                    == "rank 1 did not come to gatherObject within 1 second while ranks 0, 2 waited in gatherObject")
        }
    }

    @Test func aTimeoutIsForEachCallAlone() async throws {
        let ranks = InProcessCommunicator.group(of: 2, timeout: .seconds(2))
        let results = await withRanks(ranks) { accelerator in
            for _ in 0..<5 {
                if accelerator.processIndex == 1 { try await Task.sleep(for: .milliseconds(500)) }
                try await accelerator.waitForEveryone()
            }
        }
        #expect(results.messages == [nil, nil])
    }

    @Test func aTimeoutBetweenProcesses() async throws {
        let outcome = try await launch(4, ["timeout", "1.5", "2"])
        #expect(
            outcome.error.contains(
                "rank 2 did not come to gatherObject within 1.5 seconds while ranks 0, 1, 3 waited in gatherObject"),
            "\(outcome.error)")
        #expect(outcome.code != 0 && outcome.duration < .seconds(20))
        let patient = try await launch(2, ["timeout", "30", "9"])
        #expect(patient.code == 0 && patient.error.isEmpty)
    }

    @Test func aTimeoutThatIsNoneIsAnError() async {
        let error = await #expect(throws: DistributedError.self) { _ = try await Accelerator(timeout: .zero) }
        #expect(error?.code == .invalidArgument && error?.message == "a timeout of 0 seconds")
    }

    /// Rank 1 may make the second call first: it must not get the results of the other.
    @Test func twoCallsAtOnceGiveNobodyAResult() async throws {
        let refusal = "rank 0 called gatherObject while its gatherObject had not returned"
        let refused = Latch()
        let results = await withRanks(2) { accelerator in
            if accelerator.processIndex == 1 {
                await refused.wait()
                let error = await #expect(throws: DistributedError.self) { try await accelerator.gatherObject(["b"]) }
                #expect(error?.message.hasPrefix(refusal) == true)
            } else {
                let first = Task { try await accelerator.gatherObject(["a"]) }
                try await Task.sleep(for: .milliseconds(200))
                let error = await #expect(throws: DistributedError.self) { try await accelerator.gatherObject(["b"]) }
                #expect(error?.code == .invalidArgument && error?.message.hasPrefix(refusal) == true)
                let other = await #expect(throws: DistributedError.self) { try await accelerator.waitForEveryone() }
                #expect(
                    other?.message.hasPrefix("rank 0 called waitForEveryone while its gatherObject had not returned")
                        == true)
                refused.open()
                #expect(await first.result.message?.hasPrefix(refusal) == true)
            }
            // One after the other they go on.
            return try await accelerator.gatherObject([accelerator.processIndex])
        }
        for result in results { #expect(try result.get() == [0, 1]) }
    }

    @Test func twoCallsAtOnceBetweenProcesses() async throws {
        let outcome = try await launch(3, ["overlap", "1"])
        let refusal = "rank 1 called waitForEveryone while its gatherObject had not returned"
        #expect(outcome.lines.count == 4 && outcome.lines.allSatisfy { $0.contains(refusal) }, "\(outcome.output)")
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }

    @Test func aMessageThatIsTooLongIsRefusedEverywhere() async throws {
        for byteCount in [(1 << 30) + 1, 5 << 30, .max] {
            let results = await withRanks(3) { accelerator in
                if accelerator.processIndex == 1 { try await accelerator.communicator.admit(byteCount, in: "gather") }
                try await accelerator.waitForEveryone()
            }
            let reason = "a message of \(byteCount) bytes is over the limit of 1073741824 bytes"
            #expect(results[1].message == reason)
            for rank in [0, 2] {
                #expect(results[rank].message?.hasPrefix("rank 1 failed in gather") == true)
                #expect(results[rank].message?.hasSuffix(": " + reason) == true)
            }
        }
        let fitting = await withRanks(2) { try await $0.communicator.admit(1 << 30, in: "gather") }
        #expect(fitting.messages == [nil, nil])
    }

    @Test func aTensorOfAGibibyteIsRefused() async throws {
        let count = (1 << 30) + 1
        let tensor = try HostTensor(
            shape: Shape([count]), dtype: .uint8, bytes: [UInt8](repeating: 0, count: count))
        for call in ["gather", "broadcast", "reduce", "perform", "send"] {
            let results = await withRanks(2) { accelerator in
                let own = try accelerator.processIndex == 0 ? tensor : HostTensor([UInt8(1)])
                switch call {
                case "gather": _ = try await accelerator.gather(own)
                case "broadcast": _ = try await accelerator.broadcast(own)
                case "reduce": _ = try await accelerator.reduce(own)
                case "perform": _ = try await accelerator.communicator.allGather(own.bytes)
                default:
                    if accelerator.processIndex == 0 { try await accelerator.communicator.send(own.bytes, to: 1) }
                    _ = try await accelerator.communicator.receive(from: 0)
                }
            }
            let (own, other) = (results[0].message ?? "", results[1].message ?? "")
            #expect(own.hasPrefix("a message of 10737418"), "\(call): \(own)")
            #expect(own.hasSuffix("bytes is over the limit of 1073741824 bytes"), "\(call): \(own)")
            #expect(other.hasPrefix("rank 0 failed in ") && other.hasSuffix(own), "\(call): \(other)")
        }
    }

    @Test func aTensorThatIsTooLongBetweenProcesses() async throws {
        let outcome = try await launch(2, ["large", "1"])
        #expect(outcome.output == "rank 1: a message of 1073741838 bytes is over the limit of 1073741824 bytes\n")
        #expect(outcome.error.contains("rank 1 failed in gather"), "\(outcome.error)")
        #expect(outcome.code == 1)
    }

    @Test func acceleratorsOfOneProgramShareItsGroup() async throws {
        let outcome = try await launch(3, ["twice", "0"])
        #expect(outcome.output == "one group of 3\n")
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    }
}
