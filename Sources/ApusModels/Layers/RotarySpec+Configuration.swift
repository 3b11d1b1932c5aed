package import ApusCheckpoints
import ApusJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension RotarySpec {
    /// Reads `rope_parameters` (transformers 5) or `rope_scaling` and `rope_theta` (before), with the defaults of
    /// transformers, but for the base and the share of a head that turns, which families have their own for.
    ///
    /// - Parameters:
    ///   - layerType: where parameters are nested by the type of layers.
    ///   - typeNames: what a family calls types of scaling.
    /// - Throws: `CheckpointError` (`.invalidValue`, `.unsupported`).
    package init(
        _ config: ConfigurationFile, headDim: Int, maxPositions: Int, theta standard: Double = 10_000,
        share: Double = 1, layerType: String? = nil, typeNames: [String: String] = [:]
    ) throws(CheckpointError) {
        let old = try config.optionalObject("rope_scaling")
        let new = try config.optionalObject("rope_parameters")
        let given = old.flatMap { $0.object.members.isEmpty ? nil : $0 }
        var parameters = given ?? new
        if let layerType, let nested = parameters {
            // What is not nested counts in the old form alone, for layers that see all.
            let isNested = nested.object.members.contains { $0.value.object != nil }
            if isNested || given == nil { parameters = isNested ? try nested.optionalObject(layerType) : nil }
        }
        try self.init(
            config, parameters: parameters, headDim: headDim, maxPositions: maxPositions, theta: standard,
            share: share, typeNames: typeNames)
    }

    /// The same with parameters that were found.
    init(
        _ config: ConfigurationFile, parameters: ConfigurationFile?, headDim: Int, maxPositions: Int,
        theta standard: Double, share standardShare: Double = 1, typeNames: [String: String] = [:]
    ) throws(CheckpointError) {
        let nested = try parameters?.optionalDouble("rope_theta")
        let outer = try config.optionalDouble("rope_theta")
        let theta = nested ?? outer ?? standard
        guard theta > 0 else { throw config.fault("rope_theta", expected: "a positive number", got: String(theta)) }
        let share = try Self.share(config, parameters) ?? standardShare
        guard share >= 0, share <= 1 else {
            throw config.fault("rotary_pct", expected: "a number from 0 to 1", got: String(share))
        }
        let written = try Self.type(parameters)
        let type = typeNames[written] ?? written
        let turned = type == "proportional" ? headDim : Int(Double(headDim) * share)
        guard turned > 0, turned % 2 == 0 else {
            throw config.fault(
                "partial_rotary_factor", expected: "an even number of a head's elements", got: "\(turned)")
        }
        self.init(turned: turned, theta: theta, scaling: .none)
        guard let parameters else { return }
        switch type {
        case "default":
            break
        case "linear":
            self.scaling = .linear(factor: try parameters.factor())
        case "dynamic":
            guard turned > 2 else { throw config.fault("head_dim", expected: "more than 2", got: String(turned)) }
            if let alpha = try parameters.optionalDouble("alpha"), alpha > 0 {
                // Hunyuan's name for a base that is larger from the start.
                self.theta = theta * pow(alpha, Double(turned) / Double(turned - 2))
                return
            }
            self.scaling = .dynamic(factor: try parameters.factor(), maxPositions: maxPositions)
        case "llama3":
            let low = try parameters.double("low_freq_factor")
            let high = try parameters.double("high_freq_factor")
            guard low > 0, high > low else {
                throw parameters.fault("high_freq_factor", expected: "more than low_freq_factor", got: String(high))
            }
            self.scaling = .llama3(
                factor: try parameters.factor(), lowFrequency: low, highFrequency: high,
                originalPositions: try parameters.originalPositions(config, maxPositions))
        case "yarn":
            self.scaling = .yarn(try Yarn(parameters, config, theta: theta, maxPositions: maxPositions))
        case "longrope", "su":
            self.scaling = .longrope(try LongRope(parameters, config, turned: turned, maxPositions: maxPositions))
        case "proportional":
            self.scaling = .proportional(
                factor: try parameters["factor"] == nil ? 1 : parameters.factor(),
                pairs: Int(share * Double(headDim)) / 2)
        default:
            throw parameters.fault(
                "rope_type", expected: "default, linear, dynamic, llama3, yarn, longrope or proportional",
                got: "'\(type)'")
        }
    }

    private static func type(_ parameters: ConfigurationFile?) throws(CheckpointError) -> String {
        let new = try parameters?.optionalString("rope_type")
        let old = try parameters?.optionalString("type")
        return new ?? old ?? "default"
    }

    /// The share of a head's elements that turn, if the configuration says one.
    private static func share(
        _ config: ConfigurationFile, _ parameters: ConfigurationFile?
    ) throws(CheckpointError) -> Double? {
        let key = "partial_rotary_factor"
        let inner = try parameters?.optionalDouble(key)
        let outer = try config.optionalDouble(key)
        guard let share = inner ?? outer else { return nil }
        guard share >= 0, share <= 1 else {
            throw config.fault(key, expected: "a number from 0 to 1", got: String(share))
        }
        return share
    }
}

extension RotarySpec.LongRope {
    fileprivate init(
        _ parameters: ConfigurationFile, _ config: ConfigurationFile, turned: Int, maxPositions: Int
    ) throws(CheckpointError) {
        let original = try parameters.originalPositions(config, maxPositions)
        let given = try parameters["factor"] == nil ? nil : parameters.factor()
        let factor = given ?? Double(maxPositions) / Double(original)
        let inferred = factor <= 1 || original <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
        self.init(
            shortFactors: try parameters.factors("short_factor", count: turned / 2),
            longFactors: try parameters.factors("long_factor", count: turned / 2), originalPositions: original,
            attentionFactor: try parameters.optionalDouble("attention_factor") ?? inferred)
    }
}

extension RotarySpec.Yarn {
    fileprivate init(
        _ parameters: ConfigurationFile, _ config: ConfigurationFile, theta: Double, maxPositions: Int
    ) throws(CheckpointError) {
        guard theta > 1 else { throw config.fault("rope_theta", expected: "more than 1 for yarn", got: String(theta)) }
        let original = try parameters.originalPositions(config, maxPositions)
        let given = try parameters["factor"] == nil ? nil : parameters.factor()
        let factor = given ?? Double(maxPositions) / Double(original)
        let mscale = try parameters.optionalDouble("mscale") ?? 0
        let mscaleAll = try parameters.optionalDouble("mscale_all_dim") ?? 0
        func scale(_ mscale: Double) -> Double { factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1 }
        let inferred = mscale != 0 && mscaleAll != 0 ? scale(mscale) / scale(mscaleAll) : scale(1)
        let betaFast = try parameters.optionalDouble("beta_fast") ?? 0
        let betaSlow = try parameters.optionalDouble("beta_slow") ?? 0
        self.init(
            factor: factor, betaFast: betaFast > 0 ? betaFast : 32, betaSlow: betaSlow > 0 ? betaSlow : 1,
            truncate: try parameters.optionalBool("truncate") ?? true, originalPositions: original,
            attentionFactor: try parameters.optionalDouble("attention_factor") ?? inferred)
    }
}

extension ConfigurationFile {
    fileprivate func factor() throws(CheckpointError) -> Double {
        let factor = try double("factor")
        guard factor > 0 else { throw fault("factor", expected: "a positive number", got: String(factor)) }
        return factor
    }

    /// One factor for each pair.
    fileprivate func factors(_ key: String, count: Int) throws(CheckpointError) -> [Double] {
        let factors = try optionalDoubles(key) ?? []
        guard factors.count == count, factors.allSatisfy({ $0 > 0 }) else {
            throw fault(
                key, expected: "\(count) positive numbers", got: factors.isEmpty ? "nothing" : "\(factors.count)")
        }
        return factors
    }

    /// The context before stretching: beside the parameters, inside them, or the model's own.
    fileprivate func originalPositions(_ config: ConfigurationFile, _ maxPositions: Int) throws(CheckpointError) -> Int
    {
        let key = "original_max_position_embeddings"
        let limit = 1 << 40
        let outer = try config.optionalPositive(key, atMost: limit)
        let own = try optionalPositive(key, atMost: limit)
        return outer ?? own ?? maxPositions
    }
}
