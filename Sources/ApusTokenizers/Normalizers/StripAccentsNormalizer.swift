/// Drops marks. Only letters that were taken apart (NFD) lose theirs.
struct StripAccentsNormalizer: Normalizer {
    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.mappingScalars { scalar, text in
            if !ScalarClasses.rust.contains(ScalarClasses.rustMark, scalar) { text.append(scalar: scalar) }
        }
    }
}
