/// The tokens a second of the ranks that have shown theirs, kept as one of them changes: a queue asks for each job.
struct KnownRates: Sendable {
    private(set) var sum = 0.0
    private(set) var count = 0
    private var changes = 0

    init(_ rates: [Double] = []) {
        sum = rates.reduce(0, +)
        count = rates.count
    }

    var mean: Double? { count > 0 ? sum / Double(count) : nil }

    /// Whether so much was added and taken away that the last digits of the sum are worth nothing.
    var isStale: Bool { changes > 16 * count + 64 }

    mutating func change(from old: Double?, to new: Double?) {
        guard old != new else { return }
        sum += (new ?? 0) - (old ?? 0)
        count += (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
        changes += 1
    }
}
