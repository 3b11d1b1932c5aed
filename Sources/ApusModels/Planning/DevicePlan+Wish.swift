package import ApusCompute

extension DevicePlan {
    /// What a plan is asked for.
    package struct Wish: Sendable {
        package var map: DeviceMap
        /// Sequences in flight that there must be room for; where it is left out, as many as fit up to the standard.
        package var batchSize: Int?
        /// Tokens of each; where it is left out, as many as fit up to what the model was made for.
        package var contextLength: Int?
        package var standardBatchSize: Int
        /// Whether budgets were given, rather than what the machine has.
        package var hasBudgets: Bool
        /// Most tokens of a step, for a batch size.
        package var tokensPerStep: @Sendable (Int) -> Int

        package init(
            map: DeviceMap, batchSize: Int?, contextLength: Int?, standardBatchSize: Int, hasBudgets: Bool,
            tokensPerStep: @escaping @Sendable (Int) -> Int
        ) {
            self.map = map
            self.batchSize = batchSize
            self.contextLength = contextLength
            self.standardBatchSize = standardBatchSize
            self.hasBudgets = hasBudgets
            self.tokensPerStep = tokensPerStep
        }
    }

    /// The plan of a model that was described, whose weights no rule puts on a disk if they would have to be rounded at every
    /// use.
    package init(
        _ model: PlanModel, of description: ModelDescription, devices: [PlanDevice], disk: Int?, _ wish: Wish
    ) throws {
        let usable = description.usable(disk, wish.map)
        do {
            try self.init(model, devices: devices, disk: usable, wish)
        } catch let error as ModelError where error.code == .doesNotFit {
            guard let advice = description.adviceOnRounding, disk != usable else { throw error }
            throw ModelError.doesNotFit("\(error.message); \(advice)")
        }
        try refuseRounding(description)
    }

    /// The plan of a model. Throws `ModelError` (`.invalidDeviceMap`), or (`.doesNotFit`) with the bytes that are missing and
    /// what would fit.
    ///
    /// - Parameter disk: most bytes that may be read from the checkpoint for every use; none if `nil`.
    package init(_ model: PlanModel, devices: [PlanDevice], disk: Int?, _ wish: Wish) throws {
        try model.spec.check(contextLength: wish.contextLength)
        self = try PlanSearch(model: model, devices: devices, disk: disk, wish: wish).best()
    }

    /// The largest batch at the wished context, and the longest context at the wished batch.
    package static func fits(
        _ model: PlanModel, of description: ModelDescription, devices: [PlanDevice], disk: Int?, _ wish: Wish
    ) throws -> (batchSize: Int, contextLength: Int) {
        let search = PlanSearch(
            model: model, devices: devices, disk: description.usable(disk, wish.map), wish: wish)
        return (try search.largestBatch(), try search.longestContext())
    }

    /// Weights that are read for every use would be rounded every time.
    /// Throws `ModelError` (`.unsupported`) saying what to do instead.
    package func refuseRounding(_ description: ModelDescription) throws {
        guard let advice = description.adviceOnRounding, placement.streamed.contains(where: { $0 > 0 }) else { return }
        throw ModelError.unsupported("\(description.path): \(advice)")
    }
}

extension ModelDescription {
    /// What to do where weights would have to be rounded at every use; `nil` if they are not rounded here.
    var adviceOnRounding: String? {
        guard let quantization, stored == nil else { return nil }
        return "layers on disk cannot be rounded to \(quantization.rawValue) at every use; make a checkpoint of "
            + "\(quantization.rawValue) first, with apus quantize"
    }

    /// What a rule may use of a disk.
    func usable(_ disk: Int?, _ map: DeviceMap) -> Int? {
        guard case .rule = map.content, adviceOnRounding != nil else { return disk }
        return nil
    }
}
