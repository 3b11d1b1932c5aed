import ApusJSON

/// Text from outside as a part of a page.
enum HTMLText {
    /// For text and for attributes in quotes. What would not be seen, or would turn the text around, is spelled out.
    static func escaped(_ text: String, atMost limit: Int = 4000) -> String {
        var result = ""
        for scalar in text.printable(atMost: limit).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
