/// Round numbers for the lines of a chart.
enum ReportScale {
    /// From 0 to the first that is not less than the largest value, in two to five steps.
    static func ticks(upTo largest: Double) -> [Double] {
        guard largest > 0, largest < 1e12 else { return [0, 1] }
        var unit = 1.0
        while unit * 10 <= largest { unit *= 10 }
        while unit > largest, unit > 1e-12 { unit /= 10 }
        let step = [0.25, 0.5, 1, 2, 2.5].map { $0 * unit }.first { largest / $0 <= 4 } ?? unit * 2.5
        return (0...max(Int((largest / step - 1e-9).rounded(.up)), 1)).map { Double($0) * step }
    }

    /// Moments within a time, at most six of them behind the first.
    static func moments(in seconds: Double) -> [(seconds: Double, text: String)] {
        let units: [(seconds: Double, name: String, steps: [Double])] = [
            (1, "s", [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]), (60, "min", [1, 2, 5, 10, 15, 30]),
            (3600, "h", [1, 2, 4, 6, 12]), (86400, "d", [1, 2, 5, 10, 20, 50, 100, 200, 500]),
        ]
        guard seconds > 0, seconds.isFinite else { return [] }
        for unit in units {
            for step in unit.steps where seconds / (step * unit.seconds) <= 6 {
                let count = Int(seconds / (step * unit.seconds) + 1e-9)
                return (0...count).map { index in
                    let value = Double(index) * step
                    return (value * unit.seconds, "\(ReportNumber.decimal(value, step < 1 ? 1 : 0)) \(unit.name)")
                }
            }
        }
        return []
    }
}
