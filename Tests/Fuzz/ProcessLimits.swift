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

    /// Bytes of memory at the process's peak.
    static var peakMemory: Int {
        var usage = rusage()
        // RUSAGE_SELF, which C libraries declare with different types.
        getrusage(0, &usage)
        #if canImport(Darwin)
            return usage.ru_maxrss
        #else
            return usage.ru_maxrss * 1024
        #endif
    }

    /// Ends the process with SIGALRM unless called again within this many seconds; 0 calls it off.
    static func mustReturn(within seconds: UInt32) { _ = alarm(seconds) }
}
