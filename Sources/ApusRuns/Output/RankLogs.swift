import ApusDistributed

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file for each rank, with what it writes.
final class RankLogs: Sendable {
    private let files: [OutputDescriptor]

    /// Makes the directory if there is none; files of earlier runs are appended to.
    /// Throws `RunError` if they cannot be written.
    init(directory: String, ranks: Int) throws(RunError) {
        if mkdir(directory, 0o777) != 0, errno != EEXIST {
            throw RunError("\(directory) cannot be made: \(String(cString: strerror(errno)))")
        }
        var files: [OutputDescriptor] = []
        for rank in 0..<ranks {
            files.append(
                try OutputDescriptor(
                    opening: "\(directory)/rank-\(rank).log", flags: O_CREAT | O_WRONLY | O_APPEND))
        }
        self.files = files
    }

    deinit { for file in files { file.close() } }

    /// A log that cannot be written is no reason to end a run.
    func write(_ lines: [UInt8], of rank: Int) { try? files[rank].write(lines) }

    /// A line about the rank, with the time.
    func note(_ text: String, of rank: Int) {
        write(Array("\(Date.now.formatted(.iso8601)) \(text)\n".utf8), of: rank)
    }

    var log: OutputRelay.Log { { [self] rank, lines in write(lines, of: rank) } }
}
