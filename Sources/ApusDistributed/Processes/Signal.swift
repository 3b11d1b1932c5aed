#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package enum Signal {
    /// Those by which people and schedulers end a job; the launcher passes them on.
    package static let passedOn: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// From now on those that are sent to all processes of a job do nothing, and a file that may not grow is an error of
    /// whoever writes it.
    static func ignoreEndings() {
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        ignoreFileLimit()
    }

    package static func ignoreFileLimit() { signal(SIGXFSZ, SIG_IGN) }

    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]

    package static func name(_ number: Int32) -> String { names[number] ?? "signal \(number)" }
}
