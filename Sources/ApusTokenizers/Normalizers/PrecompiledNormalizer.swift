import FoundationEssentials

/// SentencePiece's replacements as the Python package `tokenizers` applies them: to whole characters of fewer than six bytes,
/// else scalar by scalar, and in both cases the shortest entry that it begins with stands for all of it.
struct PrecompiledNormalizer: Normalizer {
    private let map: CharacterMap

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        let text = try configuration.string("precompiled_charsmap")
        guard let data = Data(base64Encoded: text), let map = CharacterMap([UInt8](data)), map.isText else {
            throw .malformed("\(configuration.place).precompiled_charsmap is no table of replacements in base64")
        }
        self.map = map
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { $0 >= 0x80 || map.changesSingle($0) }) else { return text }
        var normalized: [UInt8] = []
        normalized.reserveCapacity(text.count)
        let characters = String(decoding: text, as: UTF8.self)
        text.withUnsafeBufferPointer { text in
            var start = 0
            for character in characters {
                let end = start + character.utf8.count
                append(UnsafeBufferPointer(rebasing: text[start..<end]), to: &normalized)
                start = end
            }
        }
        return normalized
    }

    private func append(_ character: UTF8Text, to normalized: inout [UInt8]) {
        if character.count < 6, let replacement = map.shortest(in: character) {
            normalized += replacement
            return
        }
        var position = 0
        while position < character.count {
            let end = position + character.scalar(at: position).length
            let scalar = UnsafeBufferPointer(rebasing: character[position..<end])
            if let replacement = map.shortest(in: scalar) {
                normalized += replacement
            } else {
                normalized.append(contentsOf: scalar)
            }
            position = end
        }
    }
}
