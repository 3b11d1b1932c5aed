#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a run's results go and what becomes of those that are there.
public struct RunOptions: Sendable {
    /// A file; `nil` or `-` for standard output.
    public var output: String?
    /// Replace what the output names, once all results are there.
    public var force = false
    /// Go on where an earlier run of the same journal ended; begin if there was none.
    public var resume = false
    /// With `resume`: run the prompts again whose results are errors.
    public var retriesErrors = false
    /// Write results as they come.
    public var isUnordered = false
    /// Write what a person reads instead of JSON lines.
    public var isReadable = false
    /// Directory for what each rank writes.
    public var logDirectory: String?
    /// Least seconds without a finished step after which a worker counts as hanging: 30, or what `APUS_HANG_SECONDS` says.
    public var hangSeconds =
        getenv("APUS_HANG_SECONDS").flatMap { Double(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil } ?? 30
    /// Arguments with which this program is a worker: one that asks `WorkerProcess.isOne` first needs none.
    public var workerArguments: [String] = []
    /// Which program, by its version, made the results.
    public var version = ""

    public init() {}
}

/// What a run tells while it lasts. Called one at a time, on threads that must not be held for long.
public protocol RunObserver: Sendable {
    /// Something that a person should know and that ends nothing.
    func remark(_ text: String)
    /// A worker died or hung.
    func incident(_ text: String)
    /// A prompt got an error as its result.
    func failure(ofPrompt index: Int, _ error: String)
    /// Results came.
    func advanced()
}
