/// Which part of an input a process does: `3/8`, counted from 0, or what the scheduler that started it says.
package enum ShardChoice: Sendable, Equatable {
    case part(Int, of: Int)
    /// Of so many, where that is said.
    case auto(of: Int?)

    package static let mostShards = 1_000_000

    /// Throws `RunError` saying what is wrong.
    package init(_ text: String) throws(RunError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2 else { throw Self.malformed(text) }
        var count: Int?
        if parts.count == 2 {
            guard let number = Int(parts[1]), (1...Self.mostShards).contains(number) else { throw Self.malformed(text) }
            count = number
        }
        if first == "auto" {
            self = .auto(of: count)
            return
        }
        guard let index = Int(first), index >= 0, let count else { throw Self.malformed(text) }
        guard index < count else {
            throw RunError(
                "--shard \(text): shards count from 0, as Kubernetes, AWS Batch and --array=0-999 count; the last is "
                    + "\(count - 1)/\(count)")
        }
        self = .part(index, of: count)
    }

    private static func malformed(_ text: String) -> RunError {
        RunError("--shard \(text): is neither i/n, such as 0/8, nor auto, nor auto/n")
    }
}
