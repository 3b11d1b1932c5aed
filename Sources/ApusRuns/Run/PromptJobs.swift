import ApusDistributed
import Synchronization

/// The jobs of a run: its prompts, without those that the journal has a result of. These are checked against their lines
/// and given on in their order.
final class PromptJobs: JobSource {
    private struct State: Sendable {
        /// Digests of lines that are with workers.
        var digests: [Int: UInt64] = [:]
    }

    private let state = Mutex(State())
    // Only ever used by the one thread that reads.
    nonisolated(unsafe) private var reader: PromptReader
    nonisolated(unsafe) private var replay: JournalReplay?
    nonisolated(unsafe) private var ahead: WorkItem??
    private let last: Int
    private let retriesErrors: Bool
    /// Of lines that nothing else has looked at.
    nonisolated(unsafe) private var unknownKeys: UnknownKeys?
    private let resumed: @Sendable (JournalRecord.Result) throws -> Void
    private let remark: @Sendable (String) -> Void

    /// - Parameters:
    ///   - count: prompts from the reader's place on; all if `nil`.
    ///   - checks: whether lines are to be checked as they are read, as nothing has looked at them.
    ///   - resumed: is given results that the journal has.
    ///   - remark: is told what of the lines has no effect.
    init(
        _ reader: PromptReader, count: Int?, replay: JournalReplay?, retriesErrors: Bool, checks: Bool,
        resumed: @escaping @Sendable (JournalRecord.Result) throws -> Void,
        remark: @escaping @Sendable (String) -> Void
    ) {
        unknownKeys = checks ? UnknownKeys(name: reader.name) : nil
        self.remark = remark
        self.reader = reader
        self.replay = replay
        self.retriesErrors = retriesErrors
        self.resumed = resumed
        last = count.map { reader.place.index + $0 } ?? .max
    }

    /// Whether all prompts have a result already.
    func isEmpty() throws -> Bool {
        if ahead == nil { ahead = .some(try read()) }
        return ahead == .some(.none)
    }

    func next() throws -> WorkItem? {
        if let item = ahead {
            ahead = nil
            return item
        }
        return try read()
    }

    /// Of the line of a prompt whose result has come.
    func takeDigest(of index: Int) -> UInt64 { state.withLock { $0.digests.removeValue(forKey: index) } ?? 0 }

    private func read() throws -> WorkItem? {
        while reader.place.index < last, let line = try reader.next() {
            try check(line)
            let digest = line.digest
            if let result = try replay?.result(of: line.index) {
                guard result.digest == digest else {
                    throw RunError("\(reader.name), line \(line.number): is not what it was when its prompt was run")
                }
                if !(retriesErrors && result.isError) {
                    try resumed(result)
                    continue
                }
            }
            state.withLock { $0.digests[line.index] = digest }
            return WorkItem(index: line.index, payload: line.payload, weight: line.bytes.count)
        }
        if let index = try replay?.rest() {
            throw RunError("\(reader.name): has no prompt \(index) any more, of which there is a result")
        }
        replay = nil
        if reader.place.index == 0 { throw RunError("\(reader.name): holds no prompts") }
        if let text = unknownKeys?.remark { remark(text) }
        return nil
    }

    private func check(_ line: PromptLine) throws(RunError) {
        guard unknownKeys != nil else { return }
        do {
            unknownKeys?.note(try line.prompt())
        } catch {
            throw line.failure(error, in: reader.name)
        }
    }
}
