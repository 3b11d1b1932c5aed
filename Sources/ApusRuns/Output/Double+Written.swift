extension Double {
    /// With a fixed number of digits after the point; `-` for what is no number.
    package func written(_ digits: Int) -> String {
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
    package var brief: String { magnitude >= 100 ? written(0) : magnitude >= 10 ? written(1) : written(2) }

    /// Six digits that count, for files.
    package var rounded6: Double {
        guard isFinite, self != 0 else { return isFinite ? 0 : self }
        var scale = 1.0
        while magnitude * scale < 1e5 { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
