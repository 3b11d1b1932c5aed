/// Replaces every match of a pattern.
struct ReplaceNormalizer: Normalizer {
    let replacement: Replacement

    func normalize(_ text: [UInt8]) -> [UInt8] { replacement.apply(to: text) }
}
