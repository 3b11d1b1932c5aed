/// A line over time as inline SVG (www.w3.org/TR/SVG2). Its colors are the page's.
struct ReportChart {
    /// A time that is shaded, with its name.
    struct Span {
        var from: Double
        var to: Double
        var name: String
    }

    /// Unique in the page.
    var id: String
    var title: String
    /// What a reader who does not see the picture is told.
    var description: String
    var height = 260.0
    /// Seconds of an interval, and a value for each.
    var interval: Double
    var values: [Double]
    /// The axis reaches so far.
    var largest: Double
    var spans: [Span] = []
    /// Moments when something went wrong, and what.
    var marks: [(seconds: Double, text: String)] = []
    /// One of many: fewer words.
    var isSmall = false

    private static let width = 720.0
    private static let top = 26.0
    private var width: Double { isSmall ? Self.width / 2 : Self.width }
    private var bottom: Double { height - 26 }
    private var seconds: Double { max(interval * Double(values.count), 1e-9) }

    var svg: String {
        """
        <svg viewBox="0 0 \(n(width)) \(n(height))" role="img" aria-labelledby="\(id)-title \(id)-desc">
        <title id="\(id)-title">\(HTMLText.escaped(title))</title>
        <desc id="\(id)-desc">\(HTMLText.escaped(description))</desc>
        \(shades)\(grid)\(line)\(markers)\(labels)</svg>

        """
    }

    private func x(_ time: Double) -> Double { width * min(max(time / seconds, 0), 1) }

    private var ticks: [Double] {
        let all = ReportScale.ticks(upTo: largest)
        // Half of them are enough for a small one.
        return isSmall ? [0, all.last ?? 1] : all
    }

    private func y(_ value: Double) -> Double {
        bottom - (bottom - Self.top) * min(max(value / (ticks.last ?? 1), 0), 1)
    }

    private var shades: String {
        // Narrower ones would be taken for lines that mean something.
        spans.filter { x($0.to) - x($0.from) > 2 }.map { span in
            let (from, to) = (x(span.from), x(span.to))
            return "<rect class=\"shade\" x=\"\(n(from))\" y=\"\(n(Self.top))\" width=\"\(n(to - from))\" "
                + "height=\"\(n(bottom - Self.top))\"><title>\(HTMLText.escaped(span.name))</title></rect>\n"
        }.joined()
    }

    private var grid: String {
        ticks.map { value in
            "<line class=\"\(value == 0 ? "axis" : "grid")\" x1=\"0\" x2=\"\(n(width))\" y1=\"\(n(y(value)))\" "
                + "y2=\"\(n(y(value)))\"/>\n"
        }.joined()
    }

    /// Through the middle of each interval, out to both ends.
    private var line: String {
        guard let first = values.first, let last = values.last else { return "" }
        let points: [(Double, Double)] =
            [(0, first)] + values.enumerated().map { ((Double($0.offset) + 0.5) * interval, $0.element) }
            + [(seconds, last)]
        let places = points.map { "\(n(x($0.0))),\(n(y($0.1)))" }.joined(separator: " ")
        return "<polygon class=\"area\" points=\"0,\(n(bottom)) \(places) \(n(width)),\(n(bottom))\"/>\n"
            + "<polyline class=\"line\" points=\"\(places)\"/>\n"
    }

    private var markers: String {
        marks.map { mark in
            "<g class=\"mark\"><line x1=\"\(n(x(mark.seconds)))\" x2=\"\(n(x(mark.seconds)))\" y1=\"\(n(Self.top))\" "
                + "y2=\"\(n(bottom))\"/><circle cx=\"\(n(x(mark.seconds)))\" cy=\"\(n(Self.top))\" r=\"4\"/>"
                + "<title>\(HTMLText.escaped(mark.text))</title></g>\n"
        }.joined()
    }

    /// Over the lines, so that the picture needs no margins and its words can be larger on small screens.
    private var labels: String {
        var text = ticks.dropFirst().map { value in
            label(ReportNumber.axis(value, ticks), 0, y(value) - 5)
        }.joined()
        for span in spans where x(span.to) - x(span.from) > Double(span.name.count) * 9 && !isSmall {
            text += label(span.name, (x(span.from) + x(span.to)) / 2, bottom - 8, anchor: "middle")
        }
        let moments = ReportScale.moments(in: seconds)
        for (index, moment) in moments.enumerated() where !isSmall || index == 0 || index == moments.count - 1 {
            let isLast = index > 0 && width - x(moment.seconds) < 24
            text += label(
                moment.text, x(moment.seconds), height - 6, anchor: index == 0 ? "start" : isLast ? "end" : "middle")
        }
        return text
    }

    private func label(_ text: String, _ x: Double, _ y: Double, anchor: String = "start") -> String {
        "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor)\">\(HTMLText.escaped(text))</text>\n"
    }

    /// A coordinate, to a tenth.
    private func n(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        return tenths % 10 == 0 ? String(tenths / 10) : String(Double(tenths) / 10)
    }
}

extension ReportNumber {
    /// A value at an axis, with the digits that its steps need.
    static func axis(_ value: Double, _ ticks: [Double]) -> String {
        let step = ticks.count > 1 ? ticks[1] : 1
        return decimal(value, step == step.rounded() ? 0 : (step * 10) == (step * 10).rounded() ? 1 : 2)
    }
}
