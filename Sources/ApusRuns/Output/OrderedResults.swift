/// Writes results in the order of the prompts, each as soon as all before it are there, or as they come.
final class OrderedResults {
    private let write: @Sendable ([UInt8]) throws -> Void
    private let isOrdered: Bool
    private var pending: [Int: [UInt8]] = [:]
    private var next: Int

    /// - Parameters:
    ///   - first: index of the first prompt.
    ///   - write: takes whole lines.
    init(first: Int, isOrdered: Bool, write: @escaping @Sendable ([UInt8]) throws -> Void) {
        next = first
        self.isOrdered = isOrdered
        self.write = write
    }

    /// Takes lines, each of one prompt and without its newline, and writes all that are due. Lines written before stay
    /// when that fails.
    func put(_ lines: [(index: Int, line: [UInt8])]) throws {
        var due: [UInt8] = []
        for (index, line) in lines {
            guard isOrdered else {
                due += line
                due.append(0x0A)
                continue
            }
            pending[index] = line
            while let line = pending.removeValue(forKey: next) {
                due += line
                due.append(0x0A)
                next += 1
            }
        }
        if !due.isEmpty { try write(due) }
    }

    /// Writes what is there although results before it are missing, still in order: a run that failed keeps its work.
    func putRest() throws {
        let rest = pending.sorted { $0.key < $1.key }
        pending = [:]
        guard !rest.isEmpty else { return }
        try write(rest.flatMap { $0.value + [0x0A] })
    }
}
