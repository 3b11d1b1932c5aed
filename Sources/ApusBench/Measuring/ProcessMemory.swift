import ApusRuns

/// What this process holds of the machine's memory.
enum ProcessMemory {
    /// Resident bytes, each page divided by the processes that share it (proc(5), smaps_rollup); `nil` where the system
    /// does not say.
    static var proportionalBytes: Int? {
        guard let lines = try? LineReader(path: "/proc/self/smaps_rollup") else { return nil }
        while let line = try? lines.next() {
            let parts = String(decoding: line, as: UTF8.self).split(separator: " ")
            if parts.first == "Pss:", parts.count > 1, let kibibytes = Int(parts[1]) { return kibibytes << 10 }
        }
        return nil
    }
}
