import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the process has used, and what it may use.
enum ProcessLimits {
    /// Processor seconds of all threads: unlike the clock, these do not grow while others use the machine.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes of memory at this program's peak.
    static var peakMemory: Int {
        #if canImport(Darwin)
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            // Not of `getrusage`: its peak counts what the process held before it became this program.
            let lines =
                (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n") ?? []
            let peak = lines.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace).dropFirst().first
            return (peak.flatMap { Int($0) } ?? 0) * 1024
        #endif
    }

    /// Ends the process with SIGALRM unless called again within this many seconds; 0 calls it off.
    static func mustReturn(within seconds: UInt32) { _ = alarm(seconds) }
}
