import ApusCPU
import ApusCheckpoints
package import ApusCompute
import ApusDistributed
import ApusGeneration
import ApusHub
package import ApusModels

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Makes the devices of this machine for a process, which may be one of several.
package struct MachineDevices: Sendable {
    private let local: LocalDevices
    /// Of each device.
    private let threads: Int?

    /// Throws `ComputeError` (`.unknownDevice`) if there are fewer cores than devices.
    package init(cpuDevices: Int? = nil, threads: Int? = nil) throws {
        local = try LocalDevices(count: cpuDevices)
        self.threads = threads
    }

    /// What a process uses unless it is told otherwise.
    package var standard: DeviceID { local.standard(localRank: RankPlace.localProcessIndex) }

    /// Bytes for keys, values and logits of a model that has no plan.
    var memoryForCaches: Int { MachineMemory.available() / 2 / Self.processes }

    /// A device for a whole model, whose weights have most of the memory.
    ///
    /// - Parameter moments: where it sums up what the weights are multiplied with.
    func device(_ id: DeviceID, directory: String, moments: InputMoments? = nil) throws -> any Device {
        let cores = try local.cores(of: id)
        // Processes on one device share its cores; with a device for each, they have them for themselves.
        let sharing = id == .cpu ? Self.processes : (Self.processes + local.parts.count - 1) / local.parts.count
        let device = try CPUDevice(
            id: id, threads: threads ?? max(cores.count / sharing, 1), cores: id == .cpu ? nil : cores,
            panelBudget: weightMemory(directory), sharedWeights: SharedMemory.inherited, moments: moments)
        return id == .cpu ? device : QueuedDevice(device, queue: try ThreadQueue(cores: cores))
    }

    // MARK: Plans

    /// Where a model goes. What of batch and context is not given gets as much as fits.
    /// Throws `ModelError` or `ComputeError` about a map or budgets that fit neither machine nor model.
    package func plan(
        _ description: ModelDescription, _ map: DeviceMap, _ budgets: MemoryBudgets?, cacheType: DType?,
        batchSize: Int?, contextLength: Int?
    ) throws -> DevicePlan {
        let space = try DeviceSpace(budgets, map, ids: local.ids)
        for (id, _) in space.devices { _ = try local.cores(of: id) }
        return try DevicePlan(
            description.planned(cacheType: cacheType), of: description, devices: planned(space), disk: space.disk,
            wish(map, budgets, batchSize: batchSize, contextLength: contextLength))
    }

    /// A plan for devices that need not exist, with what else would fit.
    package func outlook(
        _ description: ModelDescription, _ map: DeviceMap, _ budgets: MemoryBudgets?, cacheType: DType?, batchSize: Int,
        contextLength: Int
    ) throws -> PlanOutlook {
        let space = try DeviceSpace(budgets, map, ids: local.ids)
        let (model, devices) = (try description.planned(cacheType: cacheType), try planned(space))
        let wish = wish(map, budgets, batchSize: batchSize, contextLength: contextLength)
        return PlanOutlook(
            try DevicePlan(model, of: description, devices: devices, disk: space.disk, wish), disk: space.disk,
            fits: try DevicePlan.fits(model, of: description, devices: devices, disk: space.disk, wish))
    }

    private func wish(
        _ map: DeviceMap, _ budgets: MemoryBudgets?, batchSize: Int?, contextLength: Int?
    ) -> DevicePlan.Wish {
        DevicePlan.Wish(
            map: map, batchSize: batchSize, contextLength: contextLength,
            standardBatchSize: CausalLanguageModel.defaultBatchSize, hasBudgets: budgets != nil
        ) { CausalLanguageModel.tokensPerStep(batchSize: $0) }
    }

    /// What is not of this machine counts as a processor with one thread.
    private func planned(_ space: DeviceSpace) throws -> [PlanDevice] {
        try space.devices.map { id, budget in
            let cores = (try? local.cores(of: id).count) ?? 1
            let workspace = try CPUWorkspace(threads: threads ?? max(cores / Self.processes, 1))
            return PlanDevice(
                id: id, budget: budget ?? freeMemory / space.devices.count, speed: Double(cores),
                answersLater: id != .cpu
            ) { workspace.byteCount($0) }
        }
    }

    /// The devices of a plan, each with its budget.
    func devices(of plan: DevicePlan) throws -> [any Device] {
        let used = plan.placement.distinctDevices
        return try plan.devices.enumerated().filter { used.contains($1.id) }.map { index, planned in
            let cores = try local.cores(of: planned.id)
            let device = try CPUDevice(
                id: planned.id, threads: threads ?? max(cores.count / Self.processes, 1), cores: cores,
                budget: planned.budget, sharedWeights: SharedMemory.inherited, sharedOffset: index << 40)
            return used.count == 1 && planned.id == .cpu
                ? device : QueuedDevice(device, queue: try ThreadQueue(cores: cores))
        }
    }

    /// What the machine has left for this process.
    private var freeMemory: Int { MachineMemory.available() / 10 * 9 / Self.processes }

    /// Most of the memory that is left, so that something remains for keys and values. What processes share counts once,
    /// whichever of them has touched it already.
    private func weightMemory(_ directory: String) -> Int {
        let shared = SharedMemory.inherited.map { SharedMemory.allocatedByteCount($0) }
        let reserved = Self.weightFileBytes(directory) + Self.allocatorAddresses
        return (MachineMemory.available(besides: reserved) + (shared ?? 0)) / 10 * 9
            / (shared == nil ? Self.processes : 1)
    }

    /// What the allocators of some threads reserve before anything is stored there: glibc's take 64 MiB each.
    private static let allocatorAddresses = 256 << 20

    private static func weightFileBytes(_ directory: String) -> Int {
        if GGUFFile.isOne(directory) {
            let parts = try? GGUFFile.parts(path: directory)
            return parts?.reduce(0) { $0 + (SmallFile.byteCount($1.path) ?? 0) } ?? 0
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".safetensors") }.reduce(0) { bytes, name in
            // In a hub's cache they are links, whose own size is that of a path.
            bytes + (SmallFile.byteCount(directory + "/" + name) ?? 0)
        }
    }

    private static var processes: Int { RankPlace.localProcessCount }
}
