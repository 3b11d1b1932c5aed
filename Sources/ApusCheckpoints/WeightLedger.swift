import ApusJSON
import Synchronization

/// Which weights of a checkpoint a model asked for, shared by all cursors over it.
final class WeightLedger: Sendable {
    private struct State {
        var used: Set<ExactString> = []
        var missing: [String] = []
        var mismatches: [String] = []
    }

    private let state = Mutex(State())

    func use(_ name: String) {
        state.withLock { _ = $0.used.insert(ExactString(name)) }
    }

    func noteMissing(_ name: String) {
        state.withLock { $0.missing.append(name) }
    }

    func noteMismatch(_ sentence: String) {
        state.withLock { $0.mismatches.append(sentence) }
    }

    func isUsed(_ name: String) -> Bool {
        state.withLock { $0.used.contains(ExactString(name)) }
    }

    /// One sentence about everything that was expected and not found, or `nil`.
    func complaint(about directory: String) -> String? {
        let (missing, mismatches) = state.withLock { ($0.missing, $0.mismatches) }
        var parts: [String] = []
        if !missing.isEmpty {
            parts.append("lacks \(missing.count) weights that the model needs: \(missing.listed())")
        }
        parts += mismatches.prefix(5)
        if mismatches.count > 5 { parts.append("and \(mismatches.count - 5) more have another shape") }
        return parts.isEmpty ? nil : "\(directory): " + parts.joined(separator: "; ")
    }
}
