#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system's clock that never goes back, which all processes of a machine share.
package enum MonotonicClock {
    /// Seconds since some moment before this process started.
    package static var seconds: Double { ApusRuns.seconds(of: CLOCK_MONOTONIC) }
}

/// What all threads of this process have computed.
package enum ProcessorClock {
    package static var seconds: Double { ApusRuns.seconds(of: CLOCK_PROCESS_CPUTIME_ID) }
}

private func seconds(of clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
