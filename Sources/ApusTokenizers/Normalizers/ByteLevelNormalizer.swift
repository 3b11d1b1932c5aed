/// Writes every byte as the printable character that stands for it in GPT-2's alphabet.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: [UInt8]) -> [UInt8] { ByteAlphabet.encode(text) }
}
