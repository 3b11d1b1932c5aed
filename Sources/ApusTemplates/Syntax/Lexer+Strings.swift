extension Lexer {
    /// Where the string that begins here ends, if it does.
    func endOfString() -> Int? {
        var offset = position + 1
        while offset < source.count {
            if source[offset] == source[position] { return offset + 1 }
            offset += source[offset] == "\\" ? 2 : 1
        }
        return nil
    }

    /// Python's escapes. jinja2 escapes what is not ASCII first, so that a backslash before it is followed by an `x`, `u` or
    /// `U` and its digits.
    func unescaped(_ range: Range<Int>) throws(TemplateError) -> [UInt32] {
        var units: [UInt32] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let scalar = source[offset]
            offset += 1
            guard scalar == "\\", offset < range.upperBound else {
                units.append(scalar.value)
                continue
            }
            let letter = source[offset]
            offset += 1
            switch letter {
            case "\n": break
            case "\\", "'", "\"": units.append(letter.value)
            case "a": units.append(7)
            case "b": units.append(8)
            case "f": units.append(12)
            case "n": units.append(10)
            case "r": units.append(13)
            case "t": units.append(9)
            case "v": units.append(11)
            case "x": units.append(try hexadecimal(&offset, 2, before: range.upperBound))
            case "u": units.append(try hexadecimal(&offset, 4, before: range.upperBound))
            case "U": units.append(try hexadecimal(&offset, 8, before: range.upperBound))
            case "N": throw TemplateError(.unsupported, "a character by its name (\\N)", line: line)
            case "0"..."7":
                var value = letter.value - 48
                var count = 1
                while count < 3, offset < range.upperBound, ("0"..."7").contains(source[offset]) {
                    value = value * 8 + source[offset].value - 48
                    (offset, count) = (offset + 1, count + 1)
                }
                units.append(value)
            default:
                units.append(0x5C)
                guard !letter.isASCII else {
                    units.append(letter.value)
                    break
                }
                let (prefix, width) = letter.value < 0x100 ? ("x", 2) : letter.value < 0x1_0000 ? ("u", 4) : ("U", 8)
                let digits = String(letter.value, radix: 16)
                let written = prefix + String(repeating: "0", count: width - digits.count) + digits
                units += written.unicodeScalars.map(\.value)
            }
        }
        return units
    }

    private func hexadecimal(_ offset: inout Int, _ count: Int, before end: Int) throws(TemplateError) -> UInt32 {
        guard count <= end - offset else { throw failure("a string has a truncated escape") }
        var value: UInt32 = 0
        for scalar in source[offset..<offset + count] {
            guard scalar.isASCII, let digit = UInt32(String(scalar), radix: 16) else {
                throw failure("a string has a truncated escape")
            }
            value = value << 4 | digit
        }
        guard value <= 0x10_FFFF else { throw failure("a string has an escape beyond Unicode") }
        offset += count
        return value
    }
}
