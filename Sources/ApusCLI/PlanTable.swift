import Apus
import ApusCompute
import ApusModels
import ApusRuns

/// A plan as a person reads it.
struct PlanTable {
    private let outlook: PlanOutlook

    init(_ outlook: PlanOutlook) { self.outlook = outlook }

    var text: String {
        let titles = ["device", "layers", "weights", "kv", "activations", "workspace", "total", "budget", "share"]
        let rows = outlook.rows.map { row in
            [
                row.device,
                Self.layers(row.layers) + (row.others.isEmpty ? "" : " + " + row.others.joined(separator: ", ")),
                Self.bytes(row.load.weights), Self.bytes(row.load.kv), Self.bytes(row.load.activations),
                Self.bytes(row.load.workspace), Self.bytes(row.load.total),
                row.budget.map { Self.bytes(Int128($0)) } ?? "",
                row.share.map { ($0 * 100).written(1) + " %" } ?? "",
            ]
        }
        let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([titles] + rows).map { row in
            zip(row, widths).enumerated().map { index, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return index < 2 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }
        let fits =
            "fits: a batch size of \(outlook.largestBatch) at this context, a context of \(outlook.longestContext) tokens at "
            + "this batch size"
        return (lines + [fits]).joined(separator: "\n")
    }

    private static func layers(_ layers: [Int]) -> String { layers.isEmpty ? "none" : layers.writtenRanges }

    private static func bytes(_ count: Int128) -> String {
        count < 1 << 20
            ? "\(count) B"
            : count < 1 << 30
                ? (Double(count) / 0x1p20).written(1) + " MiB" : (Double(count) / 0x1p30).written(2) + " GiB"
    }
}
