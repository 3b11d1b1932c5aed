import ApusCompute
package import ApusJSON
package import ApusModels

/// A plan with what else would fit.
package struct PlanOutlook: Sendable {
    package struct Row: Sendable {
        package let device: String
        package let layers: [Int]
        /// The table and the head, by their modules.
        package let others: [String]
        package let load: PlanLoad
        /// `nil` for a disk without a limit.
        package let budget: Int?

        /// Of the budget.
        package var share: Double? { budget.map { Double(load.total) / Double(max($0, 1)) } }
    }

    package let rows: [Row]
    package let deviceMap: [(module: String, device: DeviceID)]
    package let largestBatch: Int
    package let longestContext: Int

    init(_ plan: DevicePlan, disk: Int?, fits: (batchSize: Int, contextLength: Int)) {
        let placement = plan.placement
        let modules = plan.deviceMap
        let ends = [modules.first, modules.last].compactMap(\.self)
        func others(_ device: DeviceID) -> [String] { ends.filter { $0.device == device }.map(\.module) }
        var rows = zip(plan.devices, plan.loads).map { device, load in
            Row(
                device: device.id.description, layers: plan.layers(of: device.id), others: others(device.id),
                load: load,
                budget: device.budget)
        }
        if !placement.streamed.isEmpty {
            var load = PlanLoad()
            load.weights = plan.streamed
            rows.append(
                Row(
                    device: DeviceID.disk.description, layers: plan.streamedLayers, others: others(.disk), load: load,
                    budget: disk == .max ? nil : disk))
        }
        self.rows = rows
        deviceMap = modules
        (largestBatch, longestContext) = (fits.batchSize, fits.contextLength)
    }

    package var json: JSONObject {
        [
            "devices": .array(rows.map { .object(Self.json($0)) }),
            "device_map": .object(
                JSONObject(deviceMap.map { .init(key: $0.module, value: .string($0.device.description)) })),
            "fits": ["batch_size": .integer(largestBatch), "context_length": .integer(longestContext)],
        ]
    }

    private static func json(_ row: Row) -> JSONObject {
        func bytes(_ count: Int128) -> JSONValue { .integer(Int(clamping: count)) }
        return [
            "device": .string(row.device), "layers": .array(row.layers.map { .integer($0) }),
            "weights": bytes(row.load.weights), "kv": bytes(row.load.kv),
            "activations": bytes(row.load.activations), "workspace": bytes(row.load.workspace),
            "total": bytes(row.load.total), "budget": row.budget.map { .integer($0) } ?? .null,
            "share": row.share.map { .number($0) } ?? .null,
        ]
    }
}
