import ApusRuns

/// Rows of text as a person reads them: columns as wide as they need be.
struct TextTable {
    let titles: [String]
    let rows: [[String]]
    /// How many of the columns are words; the others are numbers, and end in line.
    let leftColumns: Int

    var text: String {
        let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([titles] + rows).map { row in
            let line = zip(row, widths).enumerated().map { index, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return index < leftColumns ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
            return line.prefix(
                line.lastIndex { $0 != " " }.map { line.distance(from: line.startIndex, to: $0) + 1 } ?? 0)
        }
        return lines.joined(separator: "\n")
    }

    static func bytes(_ count: Int128) -> String {
        count < 1 << 20
            ? "\(count) B"
            : count < 1 << 30
                ? (Double(count) / 0x1p20).written(1) + " MiB" : (Double(count) / 0x1p30).written(2) + " GiB"
    }
}
