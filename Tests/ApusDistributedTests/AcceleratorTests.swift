import ApusDistributed
import Synchronization
import Testing

@Suite("Accelerator")
struct AcceleratorTests {
    struct Mishap: Error, CustomStringConvertible {
        var description: String { "the cat ran away" }
    }

    @Test func attributes() async throws {
        let results = await withRanks(3) { accelerator in
            [
                accelerator.processIndex == accelerator.localProcessIndex, accelerator.numProcesses == 3,
                accelerator.isMainProcess == (accelerator.processIndex == 0),
                accelerator.isLocalMainProcess == accelerator.isMainProcess,
                accelerator.isLastProcess == (accelerator.processIndex == 2), accelerator.useDistributed,
            ]
        }
        for result in results { #expect(try result.get().allSatisfy(\.self)) }
        let alone = Accelerator(communicator: try await Accelerator.connect([:]))
        #expect(alone.processIndex == 0 && alone.numProcesses == 1 && alone.isLastProcess && !alone.useDistributed)
        try await alone.waitForEveryone()
    }

    @Test(arguments: [
        (["WORLD_SIZE": "4", "RANK": "1"], "start them with `apus launch -n 4`"),
        (["WORLD_SIZE": "2", "RANK": "2"], "do not fit together"),
        (["WORLD_SIZE": "two"], "WORLD_SIZE is \"two\""),
        (["RANK": "-1"], "RANK is \"-1\""),
        (["APUS_SOCKET": "/tmp/apus-no-such/s", "APUS_TOKEN": "x"], "does not answer"),
    ])
    func anEnvironmentThatPromisesTooMuchIsAnError(environment: [String: String], part: String) async {
        let error = await #expect(throws: DistributedError.self) { try await Accelerator.connect(environment) }
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func mainProcessFirst() async throws {
        let order = Mutex<[Int]>([])
        let results = await withRanks(4) { accelerator in
            try await accelerator.mainProcessFirst {
                if accelerator.isMainProcess { try await Task.sleep(for: .milliseconds(50)) }
                order.withLock { $0.append(accelerator.processIndex) }
                return accelerator.processIndex
            }
        }
        #expect(try results.map { try $0.get() } == [0, 1, 2, 3])
        #expect(order.withLock { $0.first } == 0 && order.withLock { $0.count } == 4)
    }

    @Test func oneProcessOnly() async throws {
        let results = await withRanks(3) { accelerator in
            [
                try await accelerator.onMainProcess { "main" }, try await accelerator.onLocalMainProcess { "local" },
                try await accelerator.onLastProcess { "last" }, try await accelerator.onProcess(1) { "one" },
                try await accelerator.onLocalProcess(2) { "two" },
            ]
        }
        #expect(
            try results.map { try $0.get() } == [
                ["main", "local", nil, nil, nil], [nil, nil, nil, "one", nil], [nil, nil, "last", nil, "two"],
            ])
        let alone = Accelerator(communicator: InProcessCommunicator.group(of: 1)[0])
        await #expect(throws: DistributedError.self) { try await alone.onProcess(1) {} }
        await #expect(throws: DistributedError.self) { try await alone.onLocalProcess(-1) {} }
    }

    @Test func gatherObjectKeepsOrderAndValues() async throws {
        let results = await withRanks(4) { accelerator in
            let rank = accelerator.processIndex
            let doubles = try await accelerator.gatherObject(rank == 2 ? [] : [Double(rank) / 3, .infinity, .nan])
            let texts = try await accelerator.gatherObject((0..<rank).map { ["e\u{301}\u{0}\n \(rank)": [$0, nil]] })
            return (doubles, texts)
        }
        for result in results {
            let (doubles, texts) = try result.get()
            #expect(doubles.map(\.bitPattern).filter { Double(bitPattern: $0).isFinite }.count == 3)
            #expect(doubles.count == 9 && doubles[3] == 1.0 / 3 && doubles[6] == 1 && doubles[4] == .infinity)
            #expect(texts.map { $0.keys.first } == [1, 2, 2, 3, 3, 3].map { "e\u{301}\u{0}\n \($0)" })
            #expect(texts.map { $0.values.first?.first } == [0, 0, 1, 0, 1, 2])
        }
    }

    @Test func broadcastObject() async throws {
        let results = await withRanks(3) { accelerator in
            try await accelerator.broadcastObject("from \(accelerator.processIndex)", from: 2)
        }
        #expect(try results.map { try $0.get() } == ["from 2", "from 2", "from 2"])
    }

    @Test func anErrorInAClosureEndsEveryWait() async {
        for name in ["splitBetweenProcesses", "mainProcessFirst", "onMainProcess"] {
            let results = await withRanks(4) { accelerator in
                switch name {
                case "splitBetweenProcesses":
                    try await accelerator.splitBetweenProcesses(0..<8) { share in
                        if share.contains(0) { throw Mishap() }
                    }
                case "mainProcessFirst":
                    try await accelerator.mainProcessFirst { if accelerator.isMainProcess { throw Mishap() } }
                default: try await accelerator.onMainProcess { throw Mishap() }
                }
                try await accelerator.waitForEveryone()
            }
            #expect(results[0].message == "the cat ran away")
            for result in results.dropFirst() {
                #expect(result.message?.hasPrefix("rank 0 failed in \(name)") == true, "\(result)")
                #expect(result.message?.hasSuffix(": the cat ran away") == true)
            }
        }
    }

    @Test func aRankThatLeavesEndsEveryWait() async {
        let results = await withRanks(3) { accelerator in
            if accelerator.processIndex == 1 { return }
            try await accelerator.waitForEveryone()
        }
        #expect(results[1].message == nil)
        for rank in [0, 2] {
            #expect(results[rank].message?.hasPrefix("rank 1 left while rank") == true, "\(results)")
            #expect(results[rank].message?.hasSuffix("waited in waitForEveryone") == true)
        }
    }

    @Test func differentCallsAreNamed() async {
        let results = await withRanks(3) { accelerator in
            if accelerator.processIndex == 1 {
                _ = try await accelerator.gatherObject([1])
            } else {
                try await accelerator.waitForEveryone()
            }
        }
        for result in results {
            #expect(result.message?.hasPrefix("the ranks disagree: rank") == true)
            #expect(result.message?.contains("rank 1 entered gatherObject") == true)
            #expect(result.message?.contains("entered waitForEveryone") == true)
        }
    }

    @Test func aBrokenGroupStaysBroken() async {
        let results = await withRanks(2) { accelerator in
            try? await accelerator.onProcess(1) { throw Mishap() }
            try? await accelerator.waitForEveryone()
            _ = try await accelerator.gatherObject([1])
        }
        for result in results {
            #expect(result.message?.hasPrefix("rank 1 failed in onProcess") == true, "\(result)")
            #expect(result.message?.hasSuffix(": the cat ran away") == true)
        }
    }

    @Test func messagesFromRankToRank() async throws {
        let results = await withRanks(3) { accelerator in
            let (rank, others) = (accelerator.processIndex, accelerator.communicator)
            for number in 0..<10 { try await others.send([UInt8(rank), UInt8(number)], to: (rank + 1) % 3) }
            var got: [[UInt8]] = []
            for _ in 0..<10 { got.append(try await others.receive(from: (rank + 2) % 3)) }
            return got
        }
        for (rank, result) in results.enumerated() {
            #expect(try result.get() == (0..<10).map { [UInt8((rank + 2) % 3), $0] })
        }
    }

    @Test func receivingFromARankThatLeftIsAnError() async {
        let results = await withRanks(2) { accelerator in
            if accelerator.processIndex == 1 { return try await accelerator.communicator.send([7], to: 0) }
            #expect(try await accelerator.communicator.receive(from: 1) == [7])
            _ = try await accelerator.communicator.receive(from: 1)
        }
        #expect(results[0].message == "rank 1 left while rank 0 waited for a message from it")
    }
}
