import ApusRuns
import ArgumentParser

struct DeviceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which device each part of the model goes to: auto, balanced, balanced_low_0, sequential, a .json file, or "
                + #"{"model.layers.0": "cpu:0", ...}. What is on "disk" is read from the checkpoint for every use."#,
            valueName: "map"))
    var deviceMap: String?

    @Option(
        help: ArgumentHelp(
            "Most bytes of each device, in the order in which they are used: cpu:0=2GiB,cpu:1=1GiB,disk=10GiB.",
            valueName: "budgets"))
    var maxMemory: String?

    @Option(
        help: ArgumentHelp(
            "Divide the cores into devices cpu:0, cpu:1, ...; by default one for each NUMA node.", valueName: "count"))
    var cpuDevices: Int?

    mutating func validate() throws { try check("--cpu-devices", [cpuDevices], in: Self.countBounds) }

    var settings: DeviceSettings {
        DeviceSettings(deviceMap: deviceMap, maxMemory: maxMemory, cpuDevices: cpuDevices)
    }
}
