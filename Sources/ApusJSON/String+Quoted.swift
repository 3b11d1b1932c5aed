extension String {
    /// The string between quotes, short and printable: names in a hostile file can be long or hold control characters.
    package var quoted: String { "\"" + printable(atMost: 120) + "\"" }

    /// The first scalars of the string, with those that a line of text cannot show written as `\u{a}`.
    package func printable(atMost limit: Int = 1000) -> String {
        var text = ""
        for (index, scalar) in unicodeScalars.prefix(limit + 1).enumerated() {
            guard index < limit else { return text + "..." }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
