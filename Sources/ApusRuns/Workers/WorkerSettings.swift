public import Apus
import ApusGeneration
import ApusJSON
package import ApusTokenizers

/// What every worker of a run is told at its start.
public struct WorkerSettings: Sendable, Codable {
    /// Directory of a checkpoint, or its name in the hub's cache, which a run looks up once.
    public var model: String
    /// Where the tokenizer is, if not there.
    public var tokenizer: String?
    /// What is said in the place of a GGUF file's metadata.
    public var metadata: [String] = []
    /// The chat template of conversations; by default what each wants.
    package var template: ChatRequest.Template?
    /// Name of the type of the weights in products; the checkpoint's own if `nil`.
    public var dtype: String?
    public var quantize: Quantization?
    /// Name of the type of keys and values.
    public var cacheType: String?
    /// Of each device.
    public var threads: Int?
    /// Prompts in flight at once in each process; 64 if `nil`, or as many as budgets leave room for.
    public var batchSize: Int?
    public var contextLength: Int?
    public var devices = DeviceSettings()
    public var processes = 1
    /// Settings of generation that win over the model's own.
    public var overrides = GenerationConfig()
    /// Whether special tokens are put around prompts that do not say.
    public var addsSpecialTokens = true
    /// What a person knows the prompts' file by.
    var inputName = ""
    /// Whether to leave out remarks on the checkpoint.
    public var quiet = false
    /// Whether to tell what the devices hold.
    public var verbose = false

    public init(model: String) { self.model = model }

    /// New tokens of a run when neither the caller nor the model sets a length: enough for a short story.
    static let defaultMaxNewTokens = 100

    /// Prompts that a process takes at a time.
    var inFlight: Int { batchSize ?? CausalLanguageModel.defaultBatchSize }

    /// What of it may change a byte of a result, by the names of the command's flags.
    var json: JSONObject {
        var object = JSONObject()
        if let tokenizer { object.append("tokenizer", .string(tokenizer)) }
        if !metadata.isEmpty { object.append("override_kv", .array(metadata.map(JSONValue.string))) }
        switch template {
        case nil: break
        case .named(let name): object.append("template", .string(name))
        case .text(let text): object.append("template", .object(["text": .string(text)]))
        }
        if let dtype { object.append("dtype", .string(dtype)) }
        if let quantize { object.append("quantize", .string(quantize.rawValue)) }
        if let cacheType { object.append("kv_cache", .string(cacheType)) }
        if let contextLength { object.append("context_length", .integer(contextLength)) }
        if !addsSpecialTokens { object.append("no_special_tokens", true) }
        for member in overrides.json { object.append(member.key, member.value) }
        return object
    }
}
