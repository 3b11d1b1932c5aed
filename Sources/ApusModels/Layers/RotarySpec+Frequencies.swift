#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension RotarySpec {
    /// Radians per position of each pair: [turned / 2]. Computed in float32 step by step as the reference does, since
    /// at position 10⁵ the last bit of a frequency shows.
    ///
    /// - Parameter length: length of the sequence, which only dynamic scaling and longrope look at.
    package func inverseFrequencies(length: Int = 0) -> [Float] {
        switch scaling {
        case .none:
            return plainFrequencies(base: Float(theta))
        case .linear(let factor):
            return plainFrequencies(base: Float(theta)).map { $0 / Float(factor) }
        case .dynamic(let factor, let maxPositions):
            return dynamicFrequencies(factor, maxPositions, length: max(length, maxPositions))
        case .llama3(let factor, let low, let high, let original):
            return llama3Frequencies(factor, low, high, Double(original))
        case .yarn(let yarn):
            return yarnFrequencies(yarn)
        case .longrope(let longrope):
            let factors = length > longrope.originalPositions ? longrope.longFactors : longrope.shortFactors
            return (0..<turned / 2).map { 1 / (Float(factors[$0]) * powf(Float(theta), exponent($0))) }
        case .factors(let factors):
            return zip(plainFrequencies(base: Float(theta)), factors).map { $0 / Float($1) }
        case .proportional(let factor, let pairs):
            return plainFrequencies(base: Float(theta)).enumerated().map { $0 < pairs ? $1 / Float(factor) : 0 }
        }
    }

    private func exponent(_ pair: Int) -> Float { Float(2 * pair) / Float(turned) }

    private func plainFrequencies(base: Float) -> [Float] {
        (0..<turned / 2).map { 1 / powf(base, exponent($0)) }
    }

    private func dynamicFrequencies(_ factor: Double, _ maxPositions: Int, length: Int) -> [Float] {
        guard length > maxPositions else { return plainFrequencies(base: Float(theta)) }
        let growth = Float(factor) * Float(length) / Float(maxPositions) - Float(factor - 1)
        let power = Double(turned) / Double(turned - 2)
        return plainFrequencies(base: Float(theta) * powf(growth, Float(power)))
    }

    private func llama3Frequencies(_ factor: Double, _ low: Double, _ high: Double, _ original: Double) -> [Float] {
        let longest = Float(original / low)
        let shortest = Float(original / high)
        return plainFrequencies(base: Float(theta)).map { frequency in
            let wavelength = Float(2 * Double.pi) / frequency
            if wavelength > longest { return frequency / Float(factor) }
            if wavelength < shortest { return frequency }
            let smooth = (Float(original) / wavelength - Float(low)) / Float(high - low)
            return (1 - smooth) * frequency / Float(factor) + smooth * frequency
        }
    }

    private func yarnFrequencies(_ yarn: Yarn) -> [Float] {
        /// The pair that turns the given number of times within the original context.
        func pair(rotations: Double) -> Double {
            Double(turned) * log(Double(yarn.originalPositions) / (rotations * 2 * .pi)) / (2 * log(theta))
        }
        var low = pair(rotations: yarn.betaFast)
        var high = pair(rotations: yarn.betaSlow)
        if yarn.truncate { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        low = max(low, 0)
        high = min(high, Double(turned - 1))
        if low == high { high += 0.001 }
        return (0..<turned / 2).map { index in
            let position = powf(Float(theta), exponent(index))
            let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
            let extrapolated = 1 - ramp
            return 1 / (Float(yarn.factor) * position) * (1 - extrapolated) + 1 / position * extrapolated
        }
    }
}
