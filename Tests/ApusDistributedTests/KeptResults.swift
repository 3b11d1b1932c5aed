import ApusDistributed
import Synchronization

/// Keeps what a pool delivers, for tests.
final class KeptResults: PoolObserver {
    struct State {
        var results: [WorkResult] = []
        var incidents: [PoolEvent.Incident] = []
        var reports: [Int: WorkerReport] = [:]
    }

    let state = Mutex(State())
    private let refuses: Bool

    init(refuses: Bool = false) { self.refuses = refuses }

    struct Refused: Error {}

    func keep(_ results: [WorkResult]) throws {
        if refuses { throw Refused() }
        state.withLock { $0.results += results }
    }

    func result(ofCondemned item: WorkItem, reason: String) -> [UInt8] { Array("given up: \(reason)".utf8) }

    func note(_ event: PoolEvent) {
        state.withLock { state in
            switch event {
            case .incident(let incident): state.incidents.append(incident)
            case .report(let rank, let report): state.reports[rank] = report
            case .state: break
            }
        }
    }

    var results: [WorkResult] { state.withLock { $0.results } }
    var messages: [String] { state.withLock { $0.incidents.map(\.message) } }
    var tokens: Int { state.withLock { $0.reports.values.reduce(0) { $0 + $1.tokens } } }
    /// Results by their jobs; `nil` if a job has two.
    var byIndex: [Int: [UInt8]]? {
        let results = results
        let byIndex = Dictionary(results.map { ($0.index, $0.payload) }, uniquingKeysWith: { $1 })
        return byIndex.count == results.count ? byIndex : nil
    }
}
