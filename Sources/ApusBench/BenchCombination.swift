public import Apus
import ApusCPU
public import ApusRuns

/// One choice of everything that a benchmark varies.
public struct BenchCombination: Sendable, Hashable, CustomStringConvertible {
    public var processes: Int
    /// Of each device of each process.
    public var threads: Int
    /// Prompts in flight at once in each process.
    public var batchSize: Int
    /// Of the weights in products; `nil` is the checkpoint's own type.
    public var dtype: DType?
    /// Of the weights in products; `nil` leaves them as they are.
    public var quantization: Quantization?
    /// Of keys and values; `nil` is what goes with the weights.
    public var cacheType: DType?
    /// Where each process has the model.
    public var devices: DeviceSettings

    /// - Parameter threads: by default the cores divided by the processes and the devices that they are divided into.
    public init(
        processes: Int = 1, threads: Int? = nil, batchSize: Int = 64, dtype: DType? = nil,
        quantization: Quantization? = nil, cacheType: DType? = nil, devices: DeviceSettings = DeviceSettings()
    ) {
        self.processes = processes
        self.threads = threads ?? max(ProcessorCount.available / max(processes * (devices.cpuDevices ?? 1), 1), 1)
        self.batchSize = batchSize
        self.dtype = dtype
        self.quantization = quantization
        self.cacheType = cacheType
        self.devices = devices
    }

    public var description: String {
        "\(processes) × \(threads) threads, batch \(batchSize)" + (dtype.map { ", \($0)" } ?? "")
            + (quantization.map { ", \($0)" } ?? "") + (cacheType.map { ", \($0) cache" } ?? "")
            + (devices.deviceMap.map { ", map \($0)" } ?? "") + (devices.maxMemory.map { ", \($0)" } ?? "")
    }
}
