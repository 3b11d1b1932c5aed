/// GPT-2's alphabet, in which a printable character stands for each byte.
enum ByteAlphabet {
    /// The scalar that stands for each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { (byte: UInt32) in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                next += 1
                return next - 1
            }
        }
    }()

    /// The byte for which a scalar stands; -1 for a scalar outside the alphabet.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    @inline(__always)
    static func byte(for scalar: UInt32) -> UInt8? {
        guard scalar < 0x144, bytes[Int(scalar)] >= 0 else { return nil }
        return UInt8(truncatingIfNeeded: bytes[Int(scalar)])
    }

    static func encode(_ text: some Collection<UInt8>) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.count * 2)
        for byte in text { encoded.append(scalar: scalars[Int(byte)]) }
        return encoded
    }

    /// The bytes for which a text stands; `nil` if one of its characters is outside the alphabet.
    static func decode(_ text: UTF8Text) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let (scalar, length) = text.scalar(at: position)
            guard let byte = byte(for: scalar) else { return nil }
            decoded.append(byte)
            position += length
        }
        return decoded
    }
}
