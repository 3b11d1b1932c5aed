package import ApusCompute

/// The devices that a plan may use, with their budgets.
package struct DeviceSpace: Sendable {
    /// In the order in which they are used; without a budget, what the machine has.
    package let devices: [(id: DeviceID, budget: Int?)]
    /// Most bytes that may be read from the checkpoint for every use; none if `nil`.
    package let disk: Int?

    /// - Parameters:
    ///   - budgets: name all devices if there are any.
    ///   - map: names the devices besides.
    ///   - ids: those that there are where nothing is named.
    /// - Throws: `ComputeError` (`.invalidBudget`, `.unknownDevice`) naming the entry.
    package init(_ budgets: MemoryBudgets?, _ map: DeviceMap, ids: [DeviceID]) throws {
        guard let budgets else {
            devices = try Self.named(in: map, ids).map { ($0, nil) }
            disk = .max
            return
        }
        var devices: [(id: DeviceID, budget: Int?)] = []
        var disk: Int?
        var seen: Set<String> = []
        for entry in budgets.entries {
            guard seen.insert(entry.name).inserted else {
                throw ComputeError.invalidBudget("the budgets name \(entry.name) twice")
            }
            guard entry.bytes > 0 else {
                throw ComputeError.invalidBudget(
                    "the budget of \(entry.name) is \(entry.bytes) bytes; leave out a device that is not to be used")
            }
            if entry.name == DeviceID.disk.kind {
                disk = entry.bytes
            } else {
                devices.append((try Self.device(entry.name, ids), entry.bytes))
            }
        }
        let wholes = devices.filter { $0.id.index == nil }.map(\.id.kind)
        if let part = devices.first(where: { $0.id.index != nil && wholes.contains($0.id.kind) }) {
            throw ComputeError.invalidBudget(
                "the budgets name both \(part.id.kind) and \(part.id), which is a part of it")
        }
        guard !devices.isEmpty else { throw ComputeError.invalidBudget("the budgets name no device but the disk") }
        self.devices = devices
        self.disk = disk
    }

    /// Kinds that a plan may be made for.
    private static let kinds: Set<String> = ["cpu", "cuda", "hpu", "mlu", "mps", "musa", "npu", "rocm", "xpu"]

    private static func device(_ name: String, _ ids: [DeviceID]) throws -> DeviceID {
        if let index = Int(name), ids.indices.contains(index) { return ids[index] }
        let device = try DeviceID(parsing: name)
        guard kinds.contains(device.kind) else {
            let text = name.unicodeScalars.map { $0.value < 0x20 ? "?" : String($0) }.joined()
            throw ComputeError.unknownDevice(
                "the budgets name '\(text)', which is no device; write cpu, cpu:0, cuda:0 or disk")
        }
        return device
    }

    /// Those that a map names, in the order of their numbers; all where it is a rule.
    private static func named(in map: DeviceMap, _ ids: [DeviceID]) throws -> [DeviceID] {
        guard case .entries(let entries) = map.content else { return ids.count == 1 ? [.cpu] : ids }
        if entries.contains(where: { $0.target == .name("cpu") }) {
            return entries.contains { if case .name(let name) = $0.target { name.hasPrefix("cpu:") } else { false } }
                ? [.cpu] + ids : [.cpu]
        }
        return ids
    }
}
