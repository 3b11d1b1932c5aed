import ApusCPU
public import ApusCompute
import ApusDistributed
public import ApusGeneration
import ApusModels

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Finds the model of a checkpoint.
public enum AutoModelForCausalLM {
    /// Loads a directory in Hugging Face's layout: `config.json`, `model.safetensors` or its shards, and
    /// `generation_config.json` if there is one. Weights are packed for the processor as they are read.
    ///
    /// - Parameters:
    ///   - directory: path of the checkpoint.
    ///   - dtype: type of the weights in products; by default the checkpoint's own.
    ///   - quantization: rounds the weights of products to integers; by default they are as the checkpoint has them.
    ///   - cacheType: type of the keys and values that are kept of a prompt: float32, bfloat16, or int8 with a scale for
    ///     each token and head; by default bfloat16 for weights of bfloat16, else float32.
    ///   - device: `cpu`, all cores of the machine.
    ///   - threads: by default as many as there are cores, shared between the processes of this machine.
    ///   - batchSize: most prompts in flight at once.
    ///   - contextLength: most tokens of a prompt and its continuation; by default the model's positions, or 2048 where
    ///     it has fewer.
    ///   - sharesPrefixes: whether prompts that begin alike are computed once up to where they part. Changes no result.
    /// - Throws: `GenerationError` if there is not even memory for one prompt, `CheckpointError` for files that are missing
    ///   or broken, `ModelError` for an architecture that is not supported, `ComputeError` for a device that there is not.
    public static func from(
        pretrained directory: String, dtype: DType? = nil, quantization: Quantization? = nil,
        cacheType: DType? = nil, device: DeviceID = .cpu, threads: Int? = nil, batchSize: Int = 64,
        contextLength: Int? = nil, sharesPrefixes: Bool = true
    ) throws -> CausalLanguageModel {
        guard device == .cpu else {
            throw ComputeError(code: .unknownDevice, message: "device \(device) does not exist; there is cpu")
        }
        let device = try CPUDevice(
            id: device, threads: threads ?? defaultThreads, panelBudget: weightMemory(directory),
            sharedWeights: SharedMemory.inherited)
        let model = try DecoderModel.load(
            directory: directory, device: device, dtype: dtype, quantization: quantization,
            cacheType: cacheType)
        return try CausalLanguageModel(
            model, generationConfig: GenerationConfig(directory: directory), batchSize: batchSize,
            memory: MachineMemory.available() / 2 / localProcesses, contextLength: contextLength,
            sharesPrefixes: sharesPrefixes)
    }

    /// The cores, divided between the processes that a launcher started on this machine.
    private static var defaultThreads: Int { max(ProcessorCount.available / localProcesses, 1) }

    /// Most of the memory that is left, so that something remains for keys and values. What processes share counts once,
    /// whichever of them has touched it already.
    private static func weightMemory(_ directory: String) -> Int {
        let shared = SharedMemory.inherited.map { SharedMemory.allocatedByteCount($0) }
        return (MachineMemory.available(besides: weightFileBytes(directory) + allocatorAddresses) + (shared ?? 0)) / 10
            * 9 / (shared == nil ? localProcesses : 1)
    }

    /// What the allocators of some threads reserve before anything is stored there: glibc's take 64 MiB each.
    private static let allocatorAddresses = 256 << 20

    private static func weightFileBytes(_ directory: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.reduce(0) { bytes, name in
            let facts = try? FileManager.default.attributesOfItem(atPath: directory + "/" + name)
            return bytes + ((facts?[.size] as? Int) ?? 0)
        }
    }

    private static var localProcesses: Int { RankPlace.localProcessCount }
}
