extension [Double] {
    /// 0 for none; the mean of the two in the middle for an even number.
    var median: Double { quantile(0.5) }

    /// Linear between the two nearest.
    func quantile(_ fraction: Double) -> Double {
        let sorted = sorted()
        guard let last = sorted.last else { return 0 }
        let place = fraction * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
    }
}
