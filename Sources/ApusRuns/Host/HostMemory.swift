import ApusCPU

/// What the process takes of the machine's memory.
package enum HostMemory {
    /// Bytes that no file can give back: anonymous and shared memory; 0 where the system does not say.
    package static var residentByteCount: Int {
        let status = SystemFile.contents("/proc/self/status")
        return ["RssAnon:", "RssShmem:"].reduce(0) { bytes, name in
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return bytes + (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
                * 1024
        }
    }
}
