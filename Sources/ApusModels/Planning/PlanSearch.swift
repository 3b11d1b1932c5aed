import ApusCompute

/// Tries plans for batches, contexts and budgets.
struct PlanSearch {
    let model: PlanModel
    let devices: [PlanDevice]
    var disk: Int?
    var wish: DevicePlan.Wish

    /// Slots are numbered in 32 bits.
    private static let mostTokens = Int(Int32.max)
    /// A shorter sequence is not worth starting for, unless it is asked for.
    private static let leastContext = 512

    private var batchSize: Int { wish.batchSize ?? wish.standardBatchSize }
    private var contextLength: Int { wish.contextLength ?? model.spec.defaultContextLength }

    /// What is wished for, and what is not said as large as it fits.
    func best() throws -> DevicePlan {
        if wish.batchSize != nil, wish.contextLength != nil {
            guard let plan = try plan(batchSize, contextLength) else { throw try complaint(batchSize, contextLength) }
            return plan
        }
        if let plan = try plan(batchSize, contextLength, disk: nil) { return plan }
        let length = wish.contextLength ?? min(contextLength, Self.leastContext)
        if let smaller = try self.smaller(length) { return try smaller.best() }
        let least = Self.blocks(length) * (wish.batchSize ?? 1)
        let most = Self.blocks(contextLength) * batchSize
        if try fits(limits(blocks: least), disk: nil) {
            let blocks = try largest(from: least, below: most) { try fits(limits(blocks: $0), disk: nil) }
            if let plan = try plan(blocks: blocks, disk: nil) { return plan }
        }
        // What is read for every use is read for the whole batch, so some of the memory is better used for that.
        let room = devices.reduce(0.0) { $0 + Double($1.budget) } / 4
        let wanted = largest(from: least, below: most + 1) { blocks in
            Double(model.spec.memoryByteCount(limits(blocks: blocks), model.cacheType)) <= room
        }
        for blocks in [wanted, least] {
            if let plan = try plan(blocks: blocks, disk: disk) { return plan }
        }
        throw try complaint(wish.batchSize ?? 1, length)
    }

    /// With fewer sequences at a time, where the standard number of them has no room.
    private func smaller(_ length: Int) throws -> PlanSearch? {
        guard wish.batchSize == nil, wish.standardBatchSize > 1 else { return nil }
        let disks = [nil, disk]
        for disk in disks where try fits(limits(blocks: Self.blocks(length)), disk: disk) { return nil }
        var smaller = self
        smaller.wish.standardBatchSize /= 2
        return smaller
    }

    private static func blocks(_ tokens: Int) -> Int {
        tokens / KVCacheLayout.blockSize + (tokens % KVCacheLayout.blockSize == 0 ? 0 : 1)
    }

    // MARK: One plan

    /// A cache of so many blocks for all sequences, which may be fewer than all of them could need.
    private func plan(blocks: Int, disk: Int?) throws -> DevicePlan? {
        try plan(limits(blocks: blocks), devices, disk)
    }

    private func limits(blocks: Int) -> StepLimits {
        let context =
            if let batch = wish.batchSize, wish.contextLength == nil {
                min(contextLength, blocks / batch * KVCacheLayout.blockSize)
            } else {
                min(contextLength, blocks * KVCacheLayout.blockSize)
            }
        var limits = limits(batchSize, context)
        limits.blocks = min(limits.blocks, blocks)
        return limits
    }

    private func plan(_ batchSize: Int, _ contextLength: Int) throws -> DevicePlan? {
        try plan(batchSize, contextLength, disk: disk)
    }

    private func plan(_ batchSize: Int, _ contextLength: Int, disk: Int?) throws -> DevicePlan? {
        try plan(limits(batchSize, contextLength), devices, disk)
    }

    private func limits(_ batchSize: Int, _ contextLength: Int) -> StepLimits {
        let perSequence = Self.blocks(contextLength)
        let (blocks, overflow) = perSequence.multipliedReportingOverflow(by: batchSize)
        var limits = StepLimits(
            tokens: wish.tokensPerStep(batchSize), outputs: batchSize, sequences: batchSize,
            blocksPerSequence: perSequence, blocks: overflow ? .max : blocks)
        limits.windows = model.spec.windows(within: limits.context)
        return limits
    }

    private func plan(_ limits: StepLimits, _ devices: [PlanDevice], _ disk: Int?) throws -> DevicePlan? {
        guard limits.blocks <= Self.mostTokens / KVCacheLayout.blockSize else { return nil }
        let planner = Planner(model, devices: devices, limits: limits, disk: disk)
        switch wish.map.content {
        case .rule(let rule):
            return planner.place(rule, hasBudgets: wish.hasBudgets).map { DevicePlan(planner, $0) }
        case .entries(let entries):
            let placement = try DeviceMap.placement(entries, of: model.spec, devices: devices.map(\.id))
            // Entries that say disk mean it.
            guard placement.streamed.isEmpty || self.disk != nil else {
                throw ModelError.invalidDeviceMap("puts modules on the disk, which the budgets do not name")
            }
            let own =
                placement.streamed.isEmpty ? planner : Planner(model, devices: devices, limits: limits, disk: self.disk)
            return own.fits(placement) ? DevicePlan(own, placement) : nil
        }
    }

    // MARK: What would fit

    /// Whether there is a plan, with so many bytes more on each device.
    private func fits(_ limits: StepLimits, more: Int = 0, disk: Int?) throws -> Bool {
        let devices = devices.map { device in
            var device = device
            device.budget = device.budget.addingReportingOverflow(more).overflow ? .max : device.budget + more
            return device
        }
        guard case .rule = wish.map.content else { return try plan(limits, devices, disk) != nil }
        guard limits.blocks <= Self.mostTokens / KVCacheLayout.blockSize else { return false }
        return Planner(model, devices: devices, limits: limits, disk: disk).hasPlacement
    }

    private func fits(_ batchSize: Int, _ contextLength: Int, more: Int = 0) throws -> Bool {
        try fits(limits(batchSize, contextLength), more: more, disk: disk)
    }

    func largestBatch() throws -> Int {
        guard try fits(1, contextLength) else { return 0 }
        return try largest(from: 1, below: Self.mostTokens) { try fits($0, contextLength) }
    }

    func longestContext() throws -> Int {
        guard try fits(batchSize, 1) else { return 0 }
        return try largest(from: 1, below: min(Self.mostTokens, (model.spec.mostPositions ?? .max - 1) + 1)) {
            try fits(batchSize, $0)
        }
    }

    /// Bytes that a plan with as much of the disk as it wants reads at every use; `nil` if that would not do either.
    private func leastOnDisk(_ batchSize: Int, _ contextLength: Int) throws -> Int128? {
        var search = self
        search.disk = .max
        return try search.plan(batchSize, contextLength)?.streamed
    }

    /// What is missing, and what would fit.
    private func complaint(_ batchSize: Int, _ contextLength: Int) throws -> ModelError {
        var search = self
        search.wish.batchSize = batchSize
        search.wish.contextLength = contextLength
        let (batch, context) = (try search.largestBatch(), try search.longestContext())
        let smaller =
            if batch > 0 {
                "a batch size of \(batch) would fit"
            } else if context > 0 {
                "a context of \(context) tokens would fit"
            } else {
                "neither a smaller batch nor a shorter context alone would fit"
            }
        if let disk, let least = try leastOnDisk(batchSize, contextLength), least > Int128(disk) {
            return .doesNotFit(
                "\(least) bytes of weights have to stay on the disk, whose budget is \(disk); \(smaller)")
        }
        let names = devices.map { "\($0.id)" }.joined(separator: ", ")
        let most = devices.map { Int.max - $0.budget }.min() ?? Int.max
        var (low, high) = (0, 1)
        while high < most / 2, try !fits(batchSize, contextLength, more: high) { (low, high) = (high, high * 2) }
        guard try fits(batchSize, contextLength, more: high) else {
            return .doesNotFit("no memory of \(names) could hold the model: \(smaller)")
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try fits(batchSize, contextLength, more: middle) { high = middle } else { low = middle }
        }
        return .doesNotFit(
            "a batch size of \(batchSize) and a context of \(contextLength) tokens do not fit: \(high) "
                + "\(high == 1 ? "byte" : "bytes") more on \(devices.count > 1 ? "each of " : "")\(names) would do; \(smaller)"
        )
    }
}
