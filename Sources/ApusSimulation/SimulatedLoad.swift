/// The prompts of a simulated run: how many tokens each has of its own, and how many new ones it gets.
package struct SimulatedLoad: Sendable {
    package struct Prompt: Sendable, Equatable {
        package var own: Int
        package var new: Int

        package init(own: Int, new: Int) {
            self.own = own
            self.new = new
        }
    }

    package let count: Int
    private let known: [Prompt]
    private let meanNewTokens: Int
    private let seed: UInt64

    /// Prompts with one own token and between half and three halves of `newTokens` new ones each, evenly drawn.
    package init(count: Int, newTokens: Int, seed: UInt64) {
        self.count = count
        known = []
        meanNewTokens = newTokens
        self.seed = seed
    }

    package init(_ prompts: [Prompt]) {
        count = prompts.count
        known = prompts
        meanNewTokens = 1
        seed = 0
    }

    /// Drawn anew for each call: millions of them need no memory.
    package subscript(index: Int) -> Prompt {
        if !known.isEmpty { return known[index] }
        let least = max((meanNewTokens + 1) / 2, 1)
        let most = max(meanNewTokens + meanNewTokens / 2, least)
        var generator = SplitMix(seed: seed &+ UInt64(truncatingIfNeeded: index) &* 0x9e37_79b9_7f4a_7c15)
        return Prompt(own: 1, new: Int.random(in: least...most, using: &generator))
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
