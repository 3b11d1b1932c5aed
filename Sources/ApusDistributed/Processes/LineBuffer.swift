/// What has been written and not yet passed on: gives out whole lines.
struct LineBuffer: Sendable {
    private var partial: [UInt8] = []
    private let limit: Int

    /// A line longer than `limit` bytes is given out in pieces.
    init(limit: Int = 16 << 20) { self.limit = limit }

    /// Takes bytes in and returns all whole lines, with their ends.
    mutating func append(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let searchStart = partial.count
        partial.append(contentsOf: bytes)
        guard let end = partial[searchStart...].lastIndex(of: UInt8(ascii: "\n")) else {
            return partial.count > limit ? takeAll() : []
        }
        let lines = Array(partial[...end])
        partial.removeFirst(end + 1)
        return lines
    }

    /// Returns what has no end of line yet.
    mutating func takeAll() -> [UInt8] {
        defer { partial = [] }
        return partial
    }
}
