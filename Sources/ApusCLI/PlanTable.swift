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
        let table = TextTable(titles: titles, rows: rows, leftColumns: 2)
        let fits =
            "fits: a batch size of \(outlook.largestBatch) at this context, a context of \(outlook.longestContext) tokens at "
            + "this batch size"
        return table.text + "\n" + fits
    }

    private static func layers(_ layers: [Int]) -> String { layers.isEmpty ? "none" : layers.writtenRanges }

    private static func bytes(_ count: Int128) -> String { TextTable.bytes(count) }
}
