package import ApusJSON

/// What a journal holds, found by reading it once: its whole records, without what is damaged.
package struct JournalScan: Sendable {
    package private(set) var header: JSONObject?
    package private(set) var input: JSONObject?
    /// Of a run that is over and had nothing added since.
    package private(set) var done: JSONObject?
    /// Prompts with a result, and those of them whose result is an error.
    package private(set) var count = 0
    package private(set) var errorCount = 0
    /// Bytes up to the end of the last whole record.
    package private(set) var end = 0
    /// Where the last result of each prompt stands whose first one was an error.
    private(set) var errors: [Int: Position] = [:]

    struct Position: Sendable {
        let first: Int
        var last: Int
        var isError: Bool
    }

    package init(path: String) throws(RunError) {
        let lines = try LineReader(path: path)
        while true {
            let start = lines.offset
            guard let line = try lines.next(), lines.offset == start + line.count + 1 else { return }
            guard let record = JournalRecord(line) else {
                // Each record vouches for itself: one that is damaged says nothing of those behind it.
                if header == nil { return }
                continue
            }
            if case .header(let object) = record {
                guard start == 0 else { return }
                header = object
            } else if header == nil {
                return
            }
            take(record, at: start)
            end = lines.offset
        }
    }

    private mutating func take(_ record: JournalRecord, at offset: Int) {
        switch record {
        case .header: break
        case .input(let object): input = object
        case .done(let object): done = object
        case .result(let result):
            done = nil
            if let position = errors[result.index] {
                errorCount += (result.isError ? 1 : 0) - (position.isError ? 1 : 0)
                errors[result.index] = Position(first: position.first, last: offset, isError: result.isError)
            } else {
                count += 1
                if result.isError {
                    errorCount += 1
                    errors[result.index] = Position(first: offset, last: offset, isError: true)
                }
            }
        }
    }
}
