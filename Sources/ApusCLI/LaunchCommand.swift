import ApusCPU
import ApusDistributed
import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct LaunchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Run a program as several processes on this machine.",
        discussion: """
            Every process gets RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE; a program that uses Apus finds the \
            others by itself. Processes write whole lines; process 0 reads the standard input. When one fails, the \
            others are ended, one line says which and why, and its exit code is kept.

              apus launch -n 4 .build/release/my-program --its --own flags
            """)

    @Option(name: [.customShort("n"), .customLong("num-processes")], help: "How many processes to start.")
    var numProcesses: Int

    @Option(
        help: ArgumentHelp(
            "Divide the cores into devices cpu:0, cpu:1, ..., which the processes use in turn; by default one for each "
                + "NUMA node.", valueName: "count"))
    var cpuDevices: Int?

    @Option(
        help: ArgumentHelp(
            "Seconds from asking a process to end to killing it. (default: 1 after a failure, 5 after a signal)",
            valueName: "seconds"))
    var gracePeriod: Double?

    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
    var command: [String]

    func validate() throws {
        try check("--num-processes", [numProcesses], in: Self.countBounds)
        try check("--cpu-devices", [cpuDevices], in: Self.countBounds)
        if let gracePeriod, !(gracePeriod >= 0 && gracePeriod <= 86400) {
            throw ValidationError("--grace-period must be from 0 to 86400 seconds, not \(gracePeriod)")
        }
        if program.isEmpty { throw ValidationError("name the program to launch: apus launch -n 2 PROGRAM") }
    }

    private var program: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func run() async throws {
        if let cpuDevices {
            _ = try LocalDevices(count: cpuDevices)
            setenv(LocalDevices.environmentVariable, String(cpuDevices), 1)
        }
        var launcher = Launcher(count: numProcesses, command: program)
        if let gracePeriod {
            launcher.graceAfterFailure = .seconds(gracePeriod)
            launcher.graceAfterSignal = .seconds(gracePeriod)
        }
        let outcome: Launcher.Outcome
        do {
            outcome = try await launcher.run()
        } catch {
            StandardError.write("apus launch: \(error)")
            // As a shell says that there is no such program.
            end(127)
        }
        if let message = outcome.message { StandardError.write("apus launch: \(message)") }
        // Not by throwing: a thread may still wait for a reader of the output who does not read.
        end(outcome.code)
    }
}

/// The C function; in the command its name stands for ArgumentParser's.
private func end(_ code: Int32) -> Never { exit(code) }
