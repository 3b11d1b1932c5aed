import ApusDistributed
import ApusJSON
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A worker without a model, for tests of everything around it: the variable `APUS_STAND_IN` makes workers answer at once.
final class StandInWorker: Sendable {
    static let variable = "APUS_STAND_IN"

    private static let capacity = 1024
    private let tokens = Atomic<Int>(0)
    private let faults: Faults

    /// `nil` unless the environment asks for one.
    init?(ofEnvironment rank: Int) throws(RunError) {
        guard getenv(Self.variable) != nil else { return nil }
        faults = try Faults(Faults.ofEnvironment, rank: rank)
    }

    var report: WorkerReport {
        var report = WorkerReport()
        report.tokens = tokens.load(ordering: .relaxed)
        report.steps = report.tokens
        return report
    }

    func serve(_ end: some WorkerEnd) async throws {
        while true {
            let leases = try await end.next(capacity: Self.capacity)
            if leases.isEmpty { return }
            try await end.submit(leases.map { ($0, try answer($0)) }, report: report)
        }
    }

    private func answer(_ lease: WorkLease) throws -> [UInt8] {
        if faults.fault(at: lease.item.index, isFirst: lease.tries == 0) == .die { Faults.die() }
        let line = try PromptLine(index: lease.item.index, payload: lease.item.payload)
        var object = ResultLine.line(index: line.index, prompt: try line.prompt(), error: "")
        object = JSONObject(object.members.dropLast() + [JSONObject.Member(key: "num_tokens", value: 1)])
        tokens.add(1, ordering: .relaxed)
        var reply = Reply(line: Array(JSONValue.object(object).serialized.utf8))
        reply.tokens = 1
        return reply.payload
    }
}
