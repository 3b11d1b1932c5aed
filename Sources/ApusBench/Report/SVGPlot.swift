import ApusRuns

/// Line charts as an SVG page, two beside each other (www.w3.org/TR/SVG2). Lines carry their names at their ends.
struct SVGPlot {
    struct Line {
        var name: String
        var points: [(x: Double, y: Double)]
        /// A limit or an ideal, drawn behind the measured lines.
        var isReference = false
    }

    struct Chart {
        var title: String
        var xTitle: String
        var yTitle: String
        var lines: [Line]
        /// Values of y are fractions.
        var isPercent = false
        /// Equal steps of x are equal distances; otherwise doublings are.
        var isLinear = false
    }

    var title: String
    /// What was measured, and where.
    var remark: String
    var charts: [Chart]

    private static let width = 560.0
    private static let height = 380.0
    private static let head = 84.0
    private static let colors = [
        "#0f766e", "#c2410c", "#4338ca", "#a16207", "#be185d", "#0369a1", "#4d7c0f", "#7e22ce",
    ]
    private static let ink = "#111827"
    private static let muted = "#6b7280"
    private static let rule = "#e5e7eb"

    var text: String {
        let columns = min(max(charts.count, 1), 2)
        let rows = (charts.count + columns - 1) / columns
        let width = Self.width * Double(columns)
        let height = Self.head + Self.height * Double(max(rows, 1))
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.n(width)) \(Self.n(height))" \
            width="\(Self.n(width))" height="\(Self.n(height))" \
            font-family="system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#ffffff"/>
            \(Self.label(title, 32, 40, size: 20, weight: 600, color: Self.ink))
            \(Self.label(remark, 32, 62, color: Self.muted))

            """
        for (index, chart) in charts.enumerated() {
            let x = Self.width * Double(index % columns)
            let y = Self.head + Self.height * Double(index / columns)
            svg += "<g transform=\"translate(\(Self.n(x)),\(Self.n(y)))\">\n\(Self.body(chart))</g>\n"
        }
        return svg + "</svg>\n"
    }

    // MARK: One chart

    private static let left = 72.0
    private static let right = width - 138
    private static let top = 56.0
    private static let bottom = height - 62

    private static func body(_ chart: Chart) -> String {
        let points = chart.lines.flatMap(\.points)
        let xs = Set(points.map(\.x)).sorted()
        // Shares are read against 100 %, rates against the largest.
        let steps = ticks(upTo: max(points.map(\.y).max() ?? 1, chart.isPercent ? 1 : 0))
        let highest = steps.last ?? 1
        func y(_ value: Double) -> Double { bottom - (bottom - top) * value / highest }
        func x(_ value: Double) -> Double {
            guard let first = xs.first, let last = xs.last, last > first else { return (left + right) / 2 }
            let place = { (value: Double) in chart.isLinear ? value : log2(value) }
            return left + 14 + (right - left - 28) * (place(value) - place(first)) / (place(last) - place(first))
        }

        var svg = label(chart.title, 32, 26, size: 15, weight: 600, color: ink) + "\n"
        svg += label(chart.yTitle, 32, 44, color: muted) + "\n"
        for value in steps {
            let place = y(value)
            let color = value == 0 ? muted : rule
            svg += "<path d=\"M\(n(left)) \(n(place))H\(n(right))\" stroke=\"\(color)\"/>\n"
            let written = chart.isPercent ? "\((value * 100).written(0)) %" : tickText(value, steps)
            svg += label(written, left - 8, place + 4, color: muted, anchor: "end") + "\n"
        }
        var lastEnd = -Double.infinity
        for value in xs {
            let text = count(value)
            let half = Double(text.count) * 3.6
            // A label that would touch the one before it is left out; its point is still drawn.
            guard x(value) - half > lastEnd + 5 else { continue }
            lastEnd = x(value) + half
            svg += "<path d=\"M\(n(x(value))) \(n(bottom))v5\" stroke=\"\(muted)\"/>\n"
            svg += label(text, x(value), bottom + 19, color: muted, anchor: "middle") + "\n"
        }
        svg += label(chart.xTitle, (left + right) / 2, bottom + 40, color: muted, anchor: "middle") + "\n"

        var ends: [(y: Double, x: Double, name: String, color: String)] = []
        let measured = chart.lines.filter { !$0.isReference }
        for line in chart.lines.filter(\.isReference) {
            svg += path(line, "#9ca3af", x, y) + "\n"
            if let end = line.points.last { ends.append((y(end.y), x(end.x), line.name, muted)) }
        }
        for (index, line) in measured.enumerated() {
            let color = colors[index % colors.count]
            svg += path(line, color, x, y) + "\n"
            if let end = line.points.last { ends.append((y(end.y), x(end.x), line.name, color)) }
        }
        return svg + endLabels(ends)
    }

    private static func path(_ line: Line, _ color: String, _ x: (Double) -> Double, _ y: (Double) -> Double) -> String
    {
        let places = line.points.map { "\(n(x($0.x))) \(n(y($0.y)))" }
        let stroke = line.isReference ? "stroke-width=\"1.5\" stroke-dasharray=\"5 4\"" : "stroke-width=\"2.5\""
        var svg =
            "<path d=\"M\(places.joined(separator: "L"))\" fill=\"none\" stroke=\"\(color)\" \(stroke) "
            + "stroke-linejoin=\"round\"/>"
        guard !line.isReference else { return svg }
        for point in line.points {
            svg += "\n<circle cx=\"\(n(x(point.x)))\" cy=\"\(n(y(point.y)))\" r=\"4\" fill=\"\(color)\" "
            svg += "stroke=\"#ffffff\" stroke-width=\"1.5\"><title>\(escaped(line.name)): \(point.y.brief) at "
            svg += "\(count(point.x))</title></circle>"
        }
        return svg
    }

    /// Names beside the lines' ends, moved apart where they would overlap.
    private static func endLabels(_ ends: [(y: Double, x: Double, name: String, color: String)]) -> String {
        let distance = 15.0
        var sorted = ends.filter { !$0.name.isEmpty }.sorted { $0.y < $1.y }
        for index in sorted.indices.dropFirst() {
            sorted[index].y = max(sorted[index].y, sorted[index - 1].y + distance)
        }
        // What was pushed below the axis goes up again, and takes along what stands above it.
        var lowest = bottom
        for index in sorted.indices.reversed() {
            sorted[index].y = min(sorted[index].y, lowest)
            lowest = sorted[index].y - distance
        }
        return sorted.map { label($0.name, $0.x + 11, $0.y + 4, weight: 500, color: $0.color) + "\n" }.joined()
    }

    // MARK: Numbers and text

    /// From 0 in four to six steps of 1, 2, 2.5 or 5 times a power of ten.
    private static func ticks(upTo largest: Double) -> [Double] {
        guard largest > 0, largest.isFinite else { return [0, 1] }
        var unit = 1.0
        while unit * 10 <= largest { unit *= 10 }
        while unit > largest { unit /= 10 }
        let step = [0.2, 0.25, 0.5, 1, 2, 2.5].map { $0 * unit }.first { largest / $0 <= 6 } ?? unit * 2.5
        let count = Int((largest / step - 1e-9).rounded(.up))
        return (0...max(count, 1)).map { Double($0) * step }
    }

    private static func tickText(_ value: Double, _ steps: [Double]) -> String {
        guard value > 0, steps.count > 1 else { return "0" }
        if let last = steps.last, last >= 10_000 {
            return (value / 1000).written(steps[1].truncatingRemainder(dividingBy: 1000) == 0 ? 0 : 1) + "k"
        }
        return value.written(steps[1] >= 5 ? 0 : steps[1] >= 1 ? 1 : 2)
    }

    private static func count(_ value: Double) -> String {
        value >= 1024 && value.truncatingRemainder(dividingBy: 1024) == 0
            ? (value / 1024).written(0) + "k" : value.written(0)
    }

    private static func log2(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var rest = value.significand
        var result = Double(value.exponent)
        var bit = 0.5
        // By squaring: no library that has logarithms is needed for a picture.
        for _ in 0..<24 {
            rest *= rest
            if rest >= 2 {
                rest /= 2
                result += bit
            }
            bit /= 2
        }
        return result
    }

    private static func n(_ value: Double) -> String { value.written(1) }

    private static func label(
        _ text: String, _ x: Double, _ y: Double, size: Int = 12, weight: Int = 400, color: String,
        anchor: String = "start"
    ) -> String {
        "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\" fill=\"\(color)\" "
            + "text-anchor=\"\(anchor)\">\(escaped(text))</text>"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            // XML has no way to write most control characters.
            case "\u{0}"..<"\u{20}", "\u{7F}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
