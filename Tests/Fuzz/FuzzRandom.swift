import ApusTestSupport

/// Numbers that follow from the seed and a case's number alone, so a case can be repeated.
struct FuzzRandom: RandomNumberGenerator {
    private var generator: SplitMix64

    init(seed: UInt64, index: Int) {
        var first = SplitMix64(seed: seed)
        generator = SplitMix64(seed: first.next() ^ UInt64(bitPattern: Int64(index)))
    }

    mutating func next() -> UInt64 { generator.next() }

    mutating func below(_ bound: Int) -> Int { generator.below(bound) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// Mostly small, now and then up to the bound.
    mutating func length(upTo bound: Int) -> Int { chance(80) ? below(min(bound, 16) + 1) : below(bound + 1) }
}
