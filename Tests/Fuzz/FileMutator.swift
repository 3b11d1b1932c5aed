import ApusJSON

/// Damages one file of a directory, by its kind.
enum FileMutator {
    static func mutate(_ file: [UInt8], named name: String, _ random: inout FuzzRandom) -> [UInt8] {
        var file = file
        for _ in 0...(random.chance(70) ? 0 : random.below(4)) {
            if random.chance(50) {
                ByteMutator.mutate(&file, &random)
            } else if name.hasSuffix(".safetensors") {
                mutateHeader(of: &file, &random)
            } else if var value = parsed(file[...]) {
                JSONMutator.mutate(&value, &random)
                file = Array(value.serialized.utf8)
            }
        }
        return file
    }

    private static func parsed(_ bytes: ArraySlice<UInt8>) -> JSONValue? {
        bytes.withUnsafeBytes { try? JSONValue(parsing: $0) }
    }

    /// The header stays JSON of the length that it says, so that the damage reaches the checks of the entries.
    private static func mutateHeader(of file: inout [UInt8], _ random: inout FuzzRandom) {
        guard file.count >= 8 else { return }
        let length = file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= UInt64(file.count - 8) else { return }
        let end = 8 + Int(length)
        guard var header = parsed(file[8..<end]) else { return }
        JSONMutator.mutate(&header, &random)
        let text = Array(header.serialized.utf8)
        file = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + file[end...]
    }
}
