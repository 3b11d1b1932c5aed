import ApusJSON

/// Files named `NAME-00001-of-00003.safetensors`: all parts of one checkpoint.
struct ShardNames {
    private let prefix: String
    private let numbers: Set<Int>
    private let count: Int

    /// `nil` unless all names are parts of the same whole.
    init?(_ names: [String]) {
        let parts = names.compactMap(Self.part)
        guard let first = parts.first, parts.count == names.count,
            parts.allSatisfy({ ExactString($0.prefix) == ExactString(first.prefix) && $0.count == first.count })
        else { return nil }
        prefix = first.prefix
        count = first.count
        numbers = Set(parts.map(\.number))
    }

    private static func part(_ name: String) -> (prefix: String, number: Int, count: Int)? {
        let words = name.dropLast(".safetensors".count).split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 4, words[words.count - 2] == "of", let count = number(words[words.count - 1]),
            let number = number(words[words.count - 3]), number >= 1, number <= count
        else { return nil }
        return (words.dropLast(3).joined(separator: "-"), number, count)
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.count == 5 && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(digits) : nil
    }

    /// The names of all parts in order. Throws `CheckpointError` (`.notFound`) naming those that are not there.
    func complete(in directory: String) throws(CheckpointError) -> [String] {
        let missing = (1...count).filter { !numbers.contains($0) }.map(name)
        guard missing.isEmpty else {
            throw .notFound("\(directory): lacks parts of the checkpoint: \(missing.listed(atMost: 5))")
        }
        return (1...count).map(name)
    }

    private func name(_ number: Int) -> String { Self.name(prefix, number, of: count) }

    /// The name that transformers gives a part.
    static func name(_ prefix: String, _ number: Int, of count: Int) -> String {
        "\(prefix)-\(five(number))-of-\(five(count)).safetensors"
    }

    private static func five(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(5 - digits.count, 0)) + digits
    }
}
