/// What one rank has written: gives out whole lines and remembers the last one.
struct LineBuffer: Sendable {
    private var partial: [UInt8] = []
    private(set) var lastLine: [UInt8] = []
    private let limit: Int

    /// A line longer than `limit` bytes is given out in pieces.
    init(limit: Int = 16 << 20) { self.limit = limit }

    /// Takes bytes in and returns all whole lines, with their ends.
    mutating func append(_ bytes: some Collection<UInt8>) -> [UInt8] {
        partial.append(contentsOf: bytes)
        guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else {
            return partial.count > limit ? takeAll() : []
        }
        let lines = Array(partial[...end])
        partial.removeFirst(end + 1)
        remember(lines)
        return lines
    }

    /// Returns what has no end of line yet.
    mutating func takeAll() -> [UInt8] {
        defer { partial = [] }
        remember(partial)
        return partial
    }

    private mutating func remember(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        if let last = lines.last(where: { !$0.allSatisfy { $0 == 32 || $0 == 9 || $0 == 13 } }) {
            lastLine = Array(last.prefix(4096))
        }
    }
}
