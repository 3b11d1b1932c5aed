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
