/// Damages a file without knowing what it holds.
enum ByteMutator {
    private static let bytes: [UInt8] = [0, 1, 0x20, 0x22, 0x2C, 0x30, 0x39, 0x5B, 0x5D, 0x7B, 0x7D, 0x7F, 0x80, 0xFF]
    private static let numbers = [
        "0", "-1", "1", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551616", "1e308", "1e999", "-1e999", "NaN", "0.5", "1e-320", "00",
        "99999999999999999999999999999999999999", "4611686018427387904", "1048577", "1000000000",
    ]

    static func mutate(_ file: inout [UInt8], _ random: inout FuzzRandom) {
        // A safetensors file is mostly weights: half of the damage goes to its first bytes.
        let reach = random.chance(50) ? min(file.count, 2048) : file.count
        let position = random.below(reach)
        switch random.below(11) {
        case 0: if !file.isEmpty { file[position] ^= 1 << UInt8(random.below(8)) }
        case 1: if !file.isEmpty { file[position] = random.pick(bytes) }
        case 2:
            for _ in 0...random.below(8) where !file.isEmpty { file[random.below(reach)] = UInt8(random.below(256)) }
        case 3: file.removeSubrange(position..<min(file.count, position + random.length(upTo: 4096)))
        case 4: file.insert(contentsOf: (0...random.length(upTo: 300)).map { _ in random.pick(bytes) }, at: position)
        case 5:
            let part = file[position..<min(file.count, position + random.length(upTo: 2000))]
            file.insert(contentsOf: part, at: random.below(file.count + 1))
        case 6: file.removeSubrange(position...)
        case 7: file += Array(repeating: random.pick(bytes), count: random.length(upTo: 5000))
        case 8: replaceNumber(in: &file, from: position, random.pick(numbers))
        case 9: writeLength(in: &file, at: random.chance(70) ? 0 : position, &random)
        default:
            let from = random.below(file.count)
            for offset in 0..<random.length(upTo: 64) where max(from, position) + offset < file.count {
                file.swapAt(from + offset, position + offset)
            }
        }
    }

    private static func replaceNumber(in file: inout [UInt8], from position: Int, _ number: String) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = file[position...].firstIndex(where: digits.contains) else { return }
        let end = file[start...].firstIndex { !digits.contains($0) } ?? file.count
        file.replaceSubrange(start..<end, with: Array(number.utf8))
    }

    private static func writeLength(in file: inout [UInt8], at position: Int, _ random: inout FuzzRandom) {
        let size = UInt64(file.count)
        let lengths: [UInt64] = [
            0, 1, 2, size, size - min(size, 8), size - min(size, 7), 100_000_000, 100_000_001,
            1 << 31, 1 << 32, 1 << 63, .max, .max - 7, random.next(),
        ]
        let bytes = withUnsafeBytes(of: random.pick(lengths).littleEndian) { Array($0) }
        for (offset, byte) in bytes.enumerated() where position + offset < file.count { file[position + offset] = byte }
    }
}
