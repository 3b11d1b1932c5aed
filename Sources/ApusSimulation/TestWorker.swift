package import ApusDistributed
import ApusRuns
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A worker of a real run that sleeps through its steps in the place of computing them.
package final class TestWorker: Sendable {
    /// What each of them is told at its start.
    struct Settings: Codable, Sendable {
        var plan: SimulationPlan
        var slownesses: [Double]
        /// When each dies, in seconds of the machine's clock.
        var deaths: [Int: Double]
    }

    private struct State {
        var engine: SteppingWorker
        var answers: [Int: CheckedContinuation<Void, Never>] = [:]
        var idle: CheckedContinuation<Void, Never>?
    }

    private let settings: Settings
    private let state: Mutex<State>

    private init(_ settings: Settings, rank: Int) {
        self.settings = settings
        state = Mutex(State(engine: SteppingWorker(settings.plan, slowness: settings.slownesses[rank])))
    }

    /// Works off what the coordinator hands out until there is no more.
    package static func serve() async throws {
        let channel = try await WorkerChannel.connect()
        let settings = try JSONDecoder().decode(Settings.self, from: Data(try await channel.settings()))
        guard settings.slownesses.indices.contains(channel.rank) else {
            throw RunError("rank \(channel.rank) of \(settings.slownesses.count) test workers")
        }
        try await settings.dieOrRestart(channel.rank)
        let worker = TestWorker(settings, rank: channel.rank)
        let steps = Task { await worker.step() }
        defer { steps.cancel() }
        try await channel.serve(capacity: settings.plan.capacity) { [worker] in
            worker.report
        } _: { lease in
            await worker.answer(lease)
            return []
        }
    }

    private var report: WorkerReport {
        var report = WorkerReport()
        report.tokens = state.withLock { $0.engine.tokens }
        report.steps = report.tokens
        return report
    }

    private func answer(_ lease: WorkLease) async {
        let prompt = lease.item.payload.withUnsafeBytes { SimulatedLoad.Prompt(bytes: $0) }
        await withCheckedContinuation { continuation in
            let idle = state.withLock { state in
                state.engine.add(lease, prompt)
                state.answers[lease.attempt] = continuation
                defer { state.idle = nil }
                return state.idle
            }
            idle?.resume()
        }
    }

    private func step() async {
        while !Task.isCancelled {
            guard let seconds = state.withLock({ $0.engine.begin() }) else {
                await withCheckedContinuation { continuation in
                    let hasWork = state.withLock { state in
                        if !state.answers.isEmpty { return true }
                        state.idle = continuation
                        return false
                    }
                    if hasWork { continuation.resume() }
                }
                continue
            }
            try? await Task.sleep(for: .seconds(seconds))
            let done = state.withLock { state in
                state.engine.end().compactMap { state.answers.removeValue(forKey: $0.attempt) }
            }
            for continuation in done { continuation.resume() }
        }
    }
}

extension TestWorker.Settings {
    /// Has a process die at its time; one that begins after that has been restarted, and takes its time to begin.
    fileprivate func dieOrRestart(_ rank: Int) async throws {
        guard let death = deaths[rank] else { return }
        let left = death - MonotonicClock.seconds
        if left < 0 { return try await Task.sleep(for: .seconds(plan.restartSeconds)) }
        Task {
            try await Task.sleep(for: .seconds(left))
            Faults.die()
        }
    }
}

extension SimulatedLoad.Prompt {
    var bytes: [UInt8] { [own, new].flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian, Array.init) } }

    init(bytes: UnsafeRawBufferPointer) {
        func value(at offset: Int) -> Int {
            guard bytes.count >= offset + 8 else { return 1 }
            return Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
        }
        self.init(own: value(at: 0), new: value(at: 8))
    }
}
