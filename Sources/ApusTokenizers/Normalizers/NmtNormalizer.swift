/// What SentencePiece's translation models drop, and what is a space to them.
struct NmtNormalizer: Normalizer {
    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.mappingScalars { scalar, text in
            switch scalar {
            case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
                text.append(0x20)
            default: text.append(scalar: scalar)
            }
        }
    }
}
