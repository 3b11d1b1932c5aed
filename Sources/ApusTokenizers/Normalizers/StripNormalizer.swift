/// Removes white space from the ends.
struct StripNormalizer: Normalizer {
    let stripsLeft: Bool
    let stripsRight: Bool

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { utf8 in
            let isSpace = { (scalar: UInt32) in ScalarClasses.rust.contains(ScalarClasses.rustSpace, scalar) }
            let start = stripsLeft ? utf8.end(ofRunFrom: 0, upTo: utf8.count, where: isSpace) : 0
            var end = utf8.count
            while stripsRight, end > start {
                let last = utf8.startOfScalar(endingAt: end)
                guard isSpace(utf8.scalar(at: last).value) else { break }
                end = last
            }
            return Array(utf8[start..<end])
        }
    }
}
