import ApusRuns
import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a scheduler reads of a run whose results go to a file: 0 done, 1 done with error results, 2 never retry, 64 bad
/// usage, 75 try again.
enum RunExitCode {
    static let refused = ExitCode(2)
    static let tryAgain = ExitCode(EX_TEMPFAIL)

    private static func of(_ error: any Error) -> ExitCode {
        RunError.code(of: error) == .tryAgain ? tryAgain : refused
    }

    /// Says what went wrong, and gives the status that tells a scheduler.
    static func telling(_ error: any Error) -> ExitCode {
        StandardError.write("Error: \(error)")
        return of(error)
    }
}
