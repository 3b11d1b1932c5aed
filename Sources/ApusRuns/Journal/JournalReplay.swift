/// A journal's results in the order of their prompts, each prompt's last. Reads the file once, and keeps no more of it in
/// memory than stands out of order, which is as much as a run has in flight.
package final class JournalReplay {
    private let path: String
    private let scan: JournalScan
    private let lines: LineReader
    private var pending: [Int: JournalRecord.Result] = [:]

    package init(path: String, scan: JournalScan) throws(RunError) {
        self.path = path
        self.scan = scan
        lines = try LineReader(path: path)
    }

    /// The result of a prompt, if there is one. To be called for one prompt after the other.
    package func result(of index: Int) throws(RunError) -> JournalRecord.Result? {
        while pending[index] == nil, try read() {}
        return pending.removeValue(forKey: index)
    }

    /// The smallest index of those that are left, if any are.
    package func rest() throws(RunError) -> Int? {
        while pending.isEmpty, try read() {}
        return pending.keys.min()
    }

    /// Reads one record; false at the end.
    private func read() throws(RunError) -> Bool {
        let offset = lines.offset
        guard offset < scan.end, let line = try lines.next() else { return false }
        guard case .result(let result)? = JournalRecord(line) else { return true }
        guard let position = scan.errors[result.index] else {
            pending[result.index] = result
            return true
        }
        // A prompt that had several tries counts where its first stood.
        guard position.first == offset else { return true }
        if position.last == offset {
            pending[result.index] = result
        } else if let last = try LineReader(path: path, offset: position.last).next(),
            case .result(let final)? = JournalRecord(last)
        {
            pending[result.index] = final
        }
        return true
    }
}
