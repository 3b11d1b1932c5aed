public import ApusCompute
public import ApusGeneration
import ApusHub
import ApusModels

/// Finds the model of a checkpoint.
public enum AutoModelForCausalLM {
    /// Loads a directory in Hugging Face's layout: `config.json`, `model.safetensors` or its shards, and
    /// `generation_config.json` if there is one. Weights are packed for the processor as they are read.
    ///
    /// A name that is no directory is a model's on a hub: its snapshot is looked up in the cache that huggingface_hub keeps on
    /// this machine. The network is never asked; `apus download` fetches models.
    ///
    /// With a map or budgets, a plan is made before anything is loaded, and what `batchSize` and `contextLength` ask for is
    /// certain to have room; where one of them is left out, keys and values get what the budgets leave.
    ///
    /// - Parameters:
    ///   - name: path of the checkpoint, or `org/name@revision`.
    ///   - deviceMap: which device each part of the model goes to; by default all of it to one.
    ///   - maxMemory: most bytes that the model may take of each device, in the order in which they are used; those that it
    ///     does not name are not.
    ///   - dtype: type of the weights in products; by default the checkpoint's own.
    ///   - quantization: rounds the weights of products to integers; by default they are as the checkpoint has them.
    ///   - cacheType: type of the keys and values that are kept of a prompt: float32, bfloat16, or int8 with a scale for
    ///     each token and head; by default bfloat16 for weights of bfloat16, else float32.
    ///   - device: of a model that has no map: `cpu`, all cores of the machine, or a part of them, such as `cpu:1`; by default
    ///     that of ``Accelerator/device``.
    ///   - cpuDevices: how many devices the cores are divided into, `cpu:0` and those that follow; by default one for each NUMA
    ///     node.
    ///   - threads: of each device; by default as many as there are cores, shared between the processes of this machine.
    ///   - batchSize: most prompts in flight at once; by default 64.
    ///   - contextLength: most tokens of a prompt and its continuation; by default the model's positions, or 2048 where
    ///     it has fewer.
    ///   - sharesPrefixes: whether prompts that begin alike are computed once up to where they part. Changes no result.
    /// - Throws: `HubError` for a name that the cache does not hold, `GenerationError` if there is not even memory for one prompt, `CheckpointError` for files that are missing
    ///   or broken, `ModelError` for an architecture that is not supported, a map that does not fit the model or a model that
    ///   does not fit the budgets, `ComputeError` for a device that there is not.
    public static func from(
        pretrained name: String, deviceMap: DeviceMap? = nil, maxMemory: MemoryBudgets? = nil,
        dtype: DType? = nil, quantization: Quantization? = nil, cacheType: DType? = nil, device: DeviceID? = nil,
        cpuDevices: Int? = nil, threads: Int? = nil, batchSize: Int? = nil, contextLength: Int? = nil,
        sharesPrefixes: Bool = true
    ) throws -> CausalLanguageModel {
        let directory = try ModelPath().resolve(name)
        let description = try ModelDescription(path: directory, dtype: dtype, quantization: quantization)
        try description.spec.check(contextLength: contextLength)
        let machine = try MachineDevices(cpuDevices: cpuDevices, threads: threads)
        let generationConfig = try GenerationConfig(directory: directory)
        guard deviceMap != nil || maxMemory != nil else {
            let device = try machine.device(device ?? machine.standard, directory: directory)
            let model = try DecoderModel.load(description, devices: [device], cacheType: cacheType)
            return try CausalLanguageModel(
                model, generationConfig: generationConfig, batchSize: batchSize ?? CausalLanguageModel.defaultBatchSize,
                memory: machine.memoryForCaches, contextLength: contextLength, sharesPrefixes: sharesPrefixes)
        }
        let plan = try machine.plan(
            description, deviceMap ?? .auto, maxMemory, cacheType: cacheType, batchSize: batchSize,
            contextLength: contextLength)
        let model = try DecoderModel.load(
            description, devices: try machine.devices(of: plan), placement: plan.placement, cacheType: cacheType)
        return try CausalLanguageModel(
            model, generationConfig: generationConfig, limits: plan.limits, contextLength: contextLength,
            sharesPrefixes: sharesPrefixes)
    }
}
