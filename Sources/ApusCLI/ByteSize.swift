import ApusRuns
import ArgumentParser

/// A number of bytes, written as transformers does: `5GB` of decimal units, `5GiB` of binary ones, or plain.
struct ByteSize: ExpressibleByArgument, Sendable, CustomStringConvertible {
    private static let units: [(name: String, bytes: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ]

    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let unit = Self.units.first { argument.hasSuffix($0.name) }
        let (bytes, overflow) = (Int(argument.dropLast(unit?.name.count ?? 0)) ?? 0)
            .multipliedReportingOverflow(by: unit?.bytes ?? 1)
        guard bytes > 0, !overflow else { return nil }
        self.bytes = bytes
    }

    var description: String {
        guard let unit = Self.units.last(where: { $0.name.count == 2 && bytes >= $0.bytes }) else {
            return "\(bytes) B"
        }
        let number = Double(bytes) / Double(unit.bytes)
        return (number == number.rounded() ? "\(Int(number))" : number.written(2)) + unit.name
    }

    var defaultValueDescription: String { description }
}
