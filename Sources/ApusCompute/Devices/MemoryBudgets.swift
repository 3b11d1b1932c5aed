/// Most bytes that a model may take of each device, in the order in which the devices are to be used.
///
///     let budgets: MemoryBudgets = ["cpu:0": 2 << 30, "cpu:1": 1 << 30]
public struct MemoryBudgets: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var bytes: Int
    }

    package let entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    /// Reads `cpu:0=2GiB,cpu:1=500MB,disk=2e9`. Throws `ComputeError` (`.invalidBudget`) naming what cannot be read.
    public init(parsing text: String) throws(ComputeError) {
        var entries: [Entry] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw .invalidBudget("'\(part)' is no budget of a device; write cpu:0=2GiB")
            }
            guard let bytes = ByteCount.parse(String(sides[1])) else {
                throw .invalidBudget(
                    "the budget of \(sides[0]), '\(sides[1])', is no number of bytes; write 512MiB, 2GB, 2e9 or 1000000"
                )
            }
            entries.append(Entry(name: String(sides[0]), bytes: bytes))
        }
        self.init(entries: entries)
    }
}

extension MemoryBudgets: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Int)...) {
        self.init(entries: elements.map { Entry(name: $0, bytes: $1) })
    }
}

/// Numbers of bytes as Accelerate writes them: powers of 2 (`GiB`) and of 10 (`GB`), bits with a small last letter (`Gb`),
/// or plain, with an exponent too.
package enum ByteCount {
    private static let units: [(name: String, bytes: Double)] = [
        ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9),
        ("TB", 1e12),
    ]

    /// Bytes, negative ones too; `nil` for what is no number, or one that no integer holds.
    package static func parse(_ text: String) -> Int? {
        var (digits, factor) = (text, 1.0)
        for unit in units {
            if text.hasSuffix(unit.name) {
                (digits, factor) = (String(text.dropLast(unit.name.count)), unit.bytes)
            } else if text.hasSuffix(unit.name.dropLast() + "b") {
                (digits, factor) = (String(text.dropLast(unit.name.count)), unit.bytes / 8)
            } else {
                continue
            }
            break
        }
        if factor == 1, let number = Int(digits) { return number }
        guard let number = Double(digits), number.isFinite, digits.first.map({ !$0.isLetter }) ?? false,
            !digits.lowercased().hasPrefix("0x")
        else { return nil }
        return Int(exactly: (number * factor).rounded(.down))
    }
}
