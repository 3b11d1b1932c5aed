import ApusCompute

/// Finds a device for every part of a model, and says what each device will hold.
package struct Planner: Sendable {
    package let model: PlanModel
    package let devices: [PlanDevice]
    package let limits: StepLimits
    /// Most bytes that may be read from the checkpoint for every use; none if `nil`.
    package let disk: Int?

    // Sums over the parts before each.
    private let weightSums: [Int128]
    private let vectorSums: [Int128]
    private let cacheSums: [Int128]
    let timeSums: [Double]
    /// By device and what it holds: activations and workspace, with a lane for each device, and with one as runs have it that
    /// read from the checkpoint.
    private let fixedLoads, fixedLoadsOfOneLane: [[PlanLoad]]

    /// - Parameter disk: most bytes that may be read from the checkpoint for every use; none if `nil`.
    package init(_ model: PlanModel, devices: [PlanDevice], limits: StepLimits, disk: Int? = nil) {
        self.model = model
        self.devices = devices
        // Until it is known which devices have a part, and whether some is streamed.
        var limits = limits
        let answersLater = devices.contains(where: \.answersLater)
        limits.flights = Placement.depth(answersLater: answersLater) * (answersLater ? devices.count : 1)
        self.limits = limits
        self.disk = disk
        func sums<Number: AdditiveArithmetic>(_ value: (Int) -> Number) -> [Number] {
            (0..<model.partCount).reduce(into: [.zero]) { $0.append($0[$0.count - 1] + value($1)) }
        }
        weightSums = sums { model.matrices($0) + model.vectors($0) }
        vectorSums = sums { model.vectors($0) }
        cacheSums = sums { model.cache($0, limits) }
        timeSums = sums { $0 == 0 ? 0 : Double(model.matrices($0)) }
        func fixed(lanes: Int) -> [[PlanLoad]] {
            devices.map { device in Content.all.map { Self.fixed(device, $0, model, limits, lanes: lanes) } }
        }
        fixedLoads = fixed(lanes: devices.count)
        fixedLoadsOfOneLane = disk == nil ? [] : fixed(lanes: 1)
    }

    /// What decides how much a device needs besides weights and cache.
    struct Content: Sendable {
        var hasTable: Bool
        var hasLayers: Bool
        var hasHead: Bool
        var streamsLayers = false
        var streamsHead = false

        var index: Int {
            let flags = [hasTable, hasLayers, hasHead, streamsLayers, streamsHead]
            return flags.reversed().reduce(0) { 2 * $0 + ($1 ? 1 : 0) }
        }

        static let all = (0..<32).map { index in
            Content(
                hasTable: index & 1 > 0, hasLayers: index & 2 > 0, hasHead: index & 4 > 0,
                streamsLayers: index & 8 > 0, streamsHead: index & 16 > 0)
        }
    }

    static func fixed(
        _ device: PlanDevice, _ content: Content, _ model: PlanModel, _ limits: StepLimits, lanes: Int
    ) -> PlanLoad {
        guard content.hasTable || content.hasLayers || content.hasHead else { return PlanLoad() }
        let head = model.spec.layers + 1
        let parts = (content.hasTable ? [0] : []) + (content.hasLayers ? [1] : []) + (content.hasHead ? [head] : [])
        let demand = model.spec.workspaceDemand(parts: parts, limits, model.formats) {
            $0 == head ? content.streamsHead : content.streamsLayers
        }
        var load = PlanLoad()
        load.activations = model.activations(
            hasTable: content.hasTable, hasHead: content.hasHead, limits, lanes: lanes)
        load.workspace = Int128(device.workspace(demand))
        return load
    }

    private func content(_ parts: Range<Int>, streams: Bool) -> Content {
        Content(
            hasTable: parts.contains(0), hasLayers: parts.overlaps(1..<model.spec.layers + 1),
            hasHead: parts.contains(model.spec.layers + 1), streamsLayers: streams, streamsHead: streams)
    }

    /// What a device holds that has neighbouring parts, all of them resident.
    package func load(of device: Int, _ parts: Range<Int>) -> PlanLoad {
        guard !parts.isEmpty else { return PlanLoad() }
        var load = fixedLoads[device][content(parts, streams: false).index]
        load.weights = weightSums[parts.upperBound] - weightSums[parts.lowerBound]
        load.kv = cacheSums[parts.upperBound] - cacheSums[parts.lowerBound]
        if model.sharesTable, parts.count == model.partCount { load.weights -= model.tableByteCount }
        return load
    }

    /// Bytes of the weights that a device with neighbouring parts cannot keep; `nil` if the rest does not fit either.
    func deficit(of device: Int, _ parts: Range<Int>) -> Int128? {
        if parts.isEmpty || fits(device, parts) { return 0 }
        guard disk != nil, model.mayBegin(with: parts.lowerBound) else { return nil }
        var load = fixedLoadsOfOneLane[device][content(parts, streams: true).index]
        load.kv = cacheSums[parts.upperBound] - cacheSums[parts.lowerBound]
        load.weights = vectorSums[parts.upperBound] - vectorSums[parts.lowerBound]
        let room = Int128(devices[device].budget) - load.total
        guard room >= 0 else { return nil }
        var weights = weightSums[parts.upperBound] - weightSums[parts.lowerBound] - load.weights
        if device > 0 {
            // A part on disk runs where the part before it does.
            guard model.matrices(parts.lowerBound) <= room else { return nil }
        } else if parts.contains(0) {
            // A table is looked up, not read: it costs nothing to leave it where it is.
            weights -= model.matrices(0)
        }
        return wholeParts(max(weights - room, 0), of: parts)
    }

    /// Bytes of as many layers as a deficit takes.
    private func wholeParts(_ bytes: Int128, of parts: Range<Int>) -> Int128 {
        guard let layer = parts.first(where: { (1...model.spec.layers).contains($0) }) else { return bytes }
        let unit = max(model.matrices(layer), 1)
        return (bytes + unit - 1) / unit * unit
    }

    /// The same of a device with some layers, the table and the head, where one matrix serves as both.
    func deficitWithEnds(of device: Int, layers: Range<Int>) -> Int128? {
        let head = model.spec.layers + 1
        var load = Self.fixed(
            devices[device], Content(hasTable: true, hasLayers: !layers.isEmpty, hasHead: true, streamsLayers: true),
            model, limits, lanes: 1)
        load.kv = cacheSums[layers.upperBound] - cacheSums[layers.lowerBound]
        load.weights =
            vectorSums[layers.upperBound] - vectorSums[layers.lowerBound] + model.vectors(head)
            + model.inputBesideTable
        let room = Int128(devices[device].budget) - load.total
        guard room >= 0 else { return nil }
        let weights = layers.reduce(model.matrices(head)) { $0 + model.matrices($1) }
        return wholeParts(max(weights - room, 0), of: layers)
    }

    package func fits(_ device: Int, _ parts: Range<Int>) -> Bool {
        (parts.isEmpty || model.mayBegin(with: parts.lowerBound))
            && load(of: device, parts).total <= Int128(devices[device].budget)
    }

    /// The limits of a run with a placement.
    package func limits(_ placement: Placement) -> StepLimits {
        let used = placement.distinctDevices
        let answersLater = devices.contains { $0.answersLater && used.contains($0.id) }
        var limits = limits
        limits.flights =
            placement.lanes(answersLater: answersLater) * Placement.depth(answersLater: answersLater)
        return limits
    }

    /// What each device holds under a placement.
    package func loads(_ placement: Placement) -> [PlanLoad] {
        let lanes = placement.streamed.isEmpty ? placement.distinctDevices.count : 1
        let limits = limits(placement)
        return devices.map { device in
            let parts = placement.devices.indices.filter { placement.devices[$0] == device.id }
            guard !parts.isEmpty else { return PlanLoad() }
            let head = model.spec.layers + 1
            var load = Self.fixed(
                device,
                Content(
                    hasTable: parts.contains(0), hasLayers: parts.contains { (1..<head).contains($0) },
                    hasHead: parts.contains(head),
                    streamsLayers: parts.contains { (1..<head).contains($0) && placement.streamed.contains($0) },
                    streamsHead: parts.contains(head) && placement.streamed.contains(head)), model, limits,
                lanes: lanes)
            for part in parts {
                load.weights += model.vectors(part)
                if !placement.streamed.contains(part) { load.weights += model.matrices(part) }
                load.kv += model.cache(part, limits)
            }
            let isShared = model.sharesTable && parts.contains(0) && parts.contains(head)
            if isShared, placement.streamed.isDisjoint(with: [0, head]) { load.weights -= model.tableByteCount }
            return load
        }
    }

    /// Bytes that a placement reads from the checkpoint for every use.
    package func streamedByteCount(_ placement: Placement) -> Int128 {
        placement.streamed.reduce(0) { $0 + model.matrices($1) }
    }

    /// Whether all devices have room for a placement.
    package func fits(_ placement: Placement) -> Bool {
        zip(loads(placement), devices).allSatisfy { $0.total <= Int128($1.budget) }
            && streamedByteCount(placement) <= Int128(disk ?? (placement.streamed.isEmpty ? 0 : -1))
    }
}
