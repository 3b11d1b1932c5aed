import ArgumentParser

extension ParsableArguments {
    /// Throws `ValidationError` about the first value given to an option that is out of bounds.
    func check(_ option: String, _ values: [Int?], in bounds: ClosedRange<Int>) throws {
        guard let value = values.compactMap(\.self).first(where: { !bounds.contains($0) }) else { return }
        throw ValidationError("\(option) must be from \(bounds.lowerBound) to \(bounds.upperBound), but is \(value).")
    }

    /// Of processes, threads of each, prompts in flight.
    static var countBounds: ClosedRange<Int> { 1...4096 }
}
