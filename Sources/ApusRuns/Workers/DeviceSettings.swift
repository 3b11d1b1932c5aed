package import ApusCompute
import ApusModels

/// Where workers put a model, as a person writes it.
public struct DeviceSettings: Sendable, Codable, Hashable {
    /// A rule, a map as JSON, or the path of a file that holds one (`DeviceMap`).
    public var deviceMap: String?
    /// `cpu:0=2GiB,cpu:1=1GiB` (`MemoryBudgets`).
    public var maxMemory: String?
    /// Devices that the cores are divided into.
    public var cpuDevices: Int?

    public init(deviceMap: String? = nil, maxMemory: String? = nil, cpuDevices: Int? = nil) {
        self.deviceMap = deviceMap
        self.maxMemory = maxMemory
        self.cpuDevices = cpuDevices
    }

    /// Whether there is nothing to plan.
    package var isPlain: Bool { deviceMap == nil && maxMemory == nil }

    /// Throws `ModelError` (`.invalidDeviceMap`) or `CheckpointError` for what is no map.
    package var map: DeviceMap? { get throws { try deviceMap.map { try DeviceMap(text: $0) } } }

    /// Throws `ComputeError` (`.invalidBudget`) for what are none.
    package var budgets: MemoryBudgets? { get throws { try maxMemory.map { try MemoryBudgets(parsing: $0) } } }
}
