import ApusDistributed
import ApusRuns
import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The reports of a run at the command line, which knows with which exit status the run ends.
struct CommandReports: Sendable {
    private let files: RunReports
    private let run: GenerationRun

    init(_ files: RunReports, of run: GenerationRun) {
        self.files = files
        self.run = run
    }

    /// Writes them as the command ends: with an error, or done. What cannot be written is said and changes nothing else.
    func finish(_ error: (any Error)?) {
        var record = run.record
        record.exitCode = Int(error.map { GenerateCommand.exitCode(for: $0).rawValue } ?? 0)
        for complaint in files.finish(record) { StandardError.write(complaint) }
    }

    /// Before an end that waits for nothing.
    func finish(exitCode: Int32) {
        var record = run.record
        if record.ending == .running { record.ending = .stopped }
        record.exitCode = Int(exitCode)
        files.finishIfNeeded(record)
    }

    /// Where results go to standard output, a signal ends the run as it ends any program; only the reports come before.
    func watch() -> SignalWatch {
        SignalWatch([SIGINT, SIGTERM, SIGHUP]) { [self] number in
            finish(exitCode: 128 + number)
            signal(number, SIG_DFL)
            kill(getpid(), number)
        }
    }
}
