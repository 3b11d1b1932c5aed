import Apus
import ApusCompute
import ApusGeneration
import ApusHub
import ApusJSON
import ApusModels
import ApusRuns
import ArgumentParser

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show which device each part of a model goes to, and what each device will hold.",
        discussion: """
            A model's config.json is enough; no weights are read. Devices that --max-memory names need not exist. What does \
            not fit is one line: the bytes that are missing, and what would fit.

            EXAMPLES
              apus plan DIR --max-memory cpu:0=2GiB,cpu:1=1GiB --batch-size 16 --context-length 4096
              apus plan config.json --max-memory cuda:0=24GiB,cuda:1=24GiB --json
            """)

    @Argument(
        help: ArgumentHelp(
            "Directory of a Hugging Face checkpoint, a config.json, or org/name@revision of the hub's cache.",
            valueName: "model"),
        completion: .file())
    var model: String

    @Option(help: ArgumentHelp("Sequences at once.", valueName: "count"))
    var batchSize = 1

    @Option(
        help: ArgumentHelp(
            "Tokens of each, prompt and continuation; by default what the model was made for.", valueName: "tokens"))
    var contextLength: Int?

    @Option(help: "Type of the weights in products; auto is the checkpoint's own.")
    var dtype = ModelOptions.DTypeChoice.auto

    @Option(help: ArgumentHelp("Rounds the weights in products to integers.", valueName: "format"))
    var quantize: Quantization?

    @Option(
        name: .customLong("kv-cache"),
        help: "Type in which keys and values are kept; auto is bfloat16 for weights of bfloat16, else float32.")
    var cacheType = ModelOptions.CacheChoice.auto

    @OptionGroup(title: "Devices")
    var devices: DeviceOptions

    @Option(help: ArgumentHelp("Threads of each device; by default as many as it has cores.", valueName: "count"))
    var threads: Int?

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    mutating func validate() throws {
        try check("--batch-size", [batchSize], in: 1...1 << 30)
        try check("--context-length", [contextLength], in: 1...1 << 30)
        try check("--threads", [threads], in: Self.countBounds)
    }

    func run() throws {
        do {
            try show()
        } catch let error as ModelError where error.code == .doesNotFit {
            StandardError.write("Error: \(error)")
            throw RunExitCode.refused
        }
    }

    private func show() throws {
        let description = try ModelDescription(
            path: ModelPath().resolve(model, for: .configuration), dtype: dtype.value.flatMap(DType.init(rawValue:)),
            quantization: quantize)
        let machine = try MachineDevices(cpuDevices: devices.cpuDevices, threads: threads)
        let outlook = try machine.outlook(
            description, devices.settings.map ?? .auto, devices.settings.budgets,
            cacheType: cacheType.value.flatMap(DType.init(rawValue:)), batchSize: batchSize,
            contextLength: contextLength ?? description.spec.trainedContextLength)
        let text = json ? JSONValue.object(outlook.json).serialized : PlanTable(outlook).text
        try OutputDescriptor.standardOutput.write((text + "\n").utf8)
    }
}
