import ApusRuns

/// Columns of numbers for people, a row at a time, so that a long run shows what it has.
struct BenchTable {
    private let widths: [Int]
    private let output: OutputDescriptor

    /// Writes the heads. A column is as wide as its head, at least 7.
    init(_ heads: [String], to output: OutputDescriptor = .standardOutput) throws(RunError) {
        widths = heads.map { max($0.count, 7) }
        self.output = output
        try row(heads)
        try output.write((widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ") + "\n").utf8)
    }

    func row(_ cells: [String]) throws(RunError) {
        let padded = zip(cells, widths).map { cell, width in
            String(repeating: " ", count: max(width - cell.count, 0)) + cell
        }
        try output.write((padded.joined(separator: "  ") + "\n").utf8)
    }
}

extension Double {
    /// With a fixed number of digits after the point; `-` for what is no number.
    func written(_ digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((magnitude * scale).rounded())
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let text = String(scaled)
        let padded = String(repeating: "0", count: max(digits + 1 - text.count, 0)) + text
        return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    /// Three digits that count.
    var brief: String { magnitude >= 100 ? written(0) : magnitude >= 10 ? written(1) : written(2) }

    /// Six digits that count, for files.
    var rounded6: Double {
        guard isFinite, self != 0 else { return isFinite ? 0 : self }
        var scale = 1.0
        while magnitude * scale < 1e5 { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
