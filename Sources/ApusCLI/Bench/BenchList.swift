import Apus
import ArgumentParser

/// Counts up to a million separated by commas: `1,2,4`.
struct CountList: ExpressibleByArgument, Sendable {
    let values: [Int]

    init(_ values: [Int]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap { Int($0) }
        guard values.count == parts.count, values.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
        self.values = values
    }

    var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}

/// Roundings of weights separated by commas; `none` leaves them as they are.
struct QuantizationList: ExpressibleByArgument, Sendable {
    let values: [Quantization?]

    init(_ values: [Quantization?]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ $0 == "none" || Quantization(rawValue: $0) != nil }) else { return nil }
        values = parts.map { Quantization(rawValue: $0) }
    }

    var defaultValueDescription: String { values.map { $0?.rawValue ?? "none" }.joined(separator: ",") }
}

/// Types of weights separated by commas; `auto` is the checkpoint's own.
struct DTypeList: ExpressibleByArgument, Sendable {
    let values: [ModelOptions.DTypeChoice]

    init(_ values: [ModelOptions.DTypeChoice]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { ModelOptions.DTypeChoice(rawValue: String($0)) }
        guard values.count == parts.count else { return nil }
    }

    var defaultValueDescription: String { values.map(\.rawValue).joined(separator: ",") }
}
