/// Numbers as a person reads them in a report.
enum ReportNumber {
    static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "–" }
        let scale = Int(repeatElement(10.0, count: digits).reduce(1, *))
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard digits > 0 else { return sign + count(scaled) }
        let rest = String(scaled % scale)
        return sign + count(scaled / scale) + "." + String(repeating: "0", count: digits - rest.count) + rest
    }

    /// Three digits that count, or all before the point.
    static func brief(_ value: Double) -> String {
        value == 0 ? "0" : decimal(value, value.magnitude >= 99.95 ? 0 : value.magnitude >= 9.995 ? 1 : 2)
    }

    /// Thousands apart.
    static func count(_ value: Int) -> String {
        var text = ""
        for (place, digit) in String(value.magnitude).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "−" : "") + String(text.reversed())
    }

    static func percent(_ part: Double, of whole: Double) -> String {
        whole > 0 ? "\(decimal(100 * part / whole, 1)) %" : "–"
    }

    /// The two largest units.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "–" }
        if seconds < 0.00005 { return "0 s" }
        if seconds < 0.0995 { return "\(decimal(seconds * 1e3, seconds < 0.00995 ? 1 : 0)) ms" }
        if seconds < 59.95 { return "\(decimal(seconds, seconds < 9.995 ? 2 : 1)) s" }
        let whole = Int(seconds.rounded())
        let units = [(86400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        let first = units.firstIndex { whole >= $0.0 } ?? 3
        guard first < 3 else { return "\(whole) s" }
        let rest = whole % units[first].0 / units[first + 1].0
        return "\(whole / units[first].0) \(units[first].1)" + (rest > 0 ? " \(rest) \(units[first + 1].1)" : "")
    }
}
