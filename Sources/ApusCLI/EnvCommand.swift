import Apus
import ApusCPU
import ApusCompute
import ApusDistributed
import ApusJSON
import ApusRuns
import ArgumentParser

struct EnvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Show the version and what Apus sees of this machine; paste it into a report of a problem.")

    @Flag(help: "One JSON object instead of lines to read.")
    var json = false

    func run() throws {
        let facts = Self.facts(HostDescription.current)
        let out = OutputDescriptor.standardOutput
        if json {
            let object = JSONObject(facts.map { .init(key: $0.key, value: $0.value) })
            try out.write((JSONValue.object(object).serialized + "\n").utf8)
        } else {
            for fact in facts { try out.write("- \(fact.title): \(Self.text(fact.value))\n".utf8) }
        }
    }

    private struct Fact {
        let key: String
        let title: String
        let value: JSONValue

        init(_ key: String, _ title: String, _ value: JSONValue) {
            self.key = key
            self.title = title
            self.value = value
        }
    }

    private static func facts(_ host: HostDescription) -> [Fact] {
        var facts = [
            Fact("version", "Apus version", .string(BuildDescription.version)),
            Fact("commit", "Commit", .string(BuildDescription.commit)),
            Fact("configuration", "Build", .string(BuildDescription.configuration)),
            Fact("platform", "Platform", .string(host.platform)),
            Fact("executable", "Executable", .string(RunningProgram.path ?? "unknown")),
            Fact("swift", "Swift version", .string(BuildDescription.compiler)),
            Fact("cpu", "CPU", .string(host.processor)),
            Fact("cores", "Cores", .integer(host.cores)),
            Fact("memory_bytes", "Memory (GiB)", .integer(MachineMemory.total)),
            Fact("available_memory_bytes", "Available memory (GiB)", .integer(MachineMemory.available())),
            Fact("devices", "Devices", .array(devices.map { .object($0) })),
            Fact("instruction_sets", "Instruction sets", .array(host.instructionSets.map { .string($0) })),
        ]
        if !host.launcher.isEmpty {
            facts.append(
                Fact(
                    "launcher", "Launcher environment",
                    .object(JSONObject(host.launcher.map { .init(key: $0.key, value: .string($0.value)) }))))
        }
        return facts
    }

    /// What maps and budgets may name.
    private static var devices: [JSONObject] {
        let parts = (try? LocalDevices()).map { zip($0.ids, $0.parts) }.map(Array.init) ?? []
        let cores = [(DeviceID.cpu, CoreSet.available)] + parts
        return cores.map { ["device": .string($0.description), "cores": .string($1.description)] }
            + [["device": .string(DeviceID.disk.description)]]
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        // Bytes, where it is no small count.
        case .integer(let number) where number >= 1 << 20: tenths(of: Double(number) / Double(1 << 30))
        case .integer(let number): String(number)
        case .array(let elements):
            elements.isEmpty
                ? "none known" : elements.map(text).joined(separator: elements.first?.object == nil ? " " : ", ")
        case .object(let object): object.map { "\($0.key)=\(text($0.value))" }.joined(separator: " ")
        default: value.serialized
        }
    }

    private static func tenths(of number: Double) -> String { String((number * 10).rounded() / 10) }
}
