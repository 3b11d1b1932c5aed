/// What Python's `str` says about characters.
extension Unicode.Scalar {
    var isPythonSpace: Bool {
        switch value {
        case 9...13, 28...32, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    var isDigit: Bool { value >= 48 && value <= 57 }

    var isPythonAlpha: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isPythonDecimal: Bool { properties.generalCategory == .decimalNumber }

    var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }

    var isPythonNumeric: Bool { properties.numericType != nil }

    var isPythonAlphanumeric: Bool { isPythonAlpha || isPythonNumeric }

    /// Whether a regular expression's `\w` matches it.
    var isWord: Bool {
        if isASCII { return isDigit || value | 0x20 >= 97 && value | 0x20 <= 122 || self == "_" }
        return isPythonAlphanumeric
    }

    var isTitlecase: Bool { properties.generalCategory == .titlecaseLetter }

    var isCased: Bool { properties.isLowercase || properties.isUppercase || isTitlecase }

    /// Whether `repr` shows it as it is.
    var isPythonPrintable: Bool {
        if isASCII { return value >= 32 && value < 127 }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// Whether `splitlines` ends a line at it.
    var isLineBreak: Bool {
        switch value {
        case 10...13, 28...30, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
