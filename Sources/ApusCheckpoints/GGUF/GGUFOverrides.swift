package import ApusJSON
import Synchronization

/// What a person says in the place of a GGUF file's metadata, `KEY=TYPE:VALUE` as llama.cpp spells it. It holds for all files that
/// this process reads, as a command's flags do.
package enum GGUFOverrides {
    private static let values = Mutex<[ExactString: JSONValue]>([:])

    /// Throws `CheckpointError` (`.invalidValue`) for what is none.
    package static func set(_ texts: [String]) throws(CheckpointError) {
        var parsed: [ExactString: JSONValue] = [:]
        for text in texts {
            let (key, value) = try parse(text)
            parsed[ExactString(key)] = value
        }
        values.withLock { $0 = parsed }
    }

    static func value(_ key: String) -> JSONValue? { values.withLock { $0[ExactString(key)] } }

    package static func parse(_ text: String) throws(CheckpointError) -> (key: String, value: JSONValue) {
        func fault(_ expected: String) -> CheckpointError {
            .invalidValue("--override-kv \(text.quoted): expected \(expected)")
        }
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex,
            let colon = text[equals...].firstIndex(of: ":")
        else { throw fault("KEY=TYPE:VALUE with a type of int, float, bool or str") }
        let (key, rest) = (String(text[..<equals]), String(text[text.index(after: colon)...]))
        switch text[text.index(after: equals)..<colon] {
        case "int":
            guard let number = Int(rest) else { throw fault("an integer") }
            return (key, .integer(number))
        case "float":
            guard let number = Double(rest), number.isFinite else { throw fault("a number") }
            return (key, .number(number))
        case "bool":
            guard let flag = Bool(rest) else { throw fault("true or false") }
            return (key, .bool(flag))
        case "str": return (key, .string(rest))
        default: throw fault("a type of int, float, bool or str")
        }
    }
}
