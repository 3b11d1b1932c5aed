import ApusCheckpoints
package import ApusCompute
import ApusJSON

extension DeviceMap {
    /// Reads what a person writes: a rule, a map as JSON, or the path of a file that holds one.
    /// Throws `ModelError` (`.invalidDeviceMap`) naming the entry that is none, `CheckpointError` for a file that cannot be
    /// read.
    package init(text: String) throws {
        if let rule = Rule(rawValue: text) {
            self.init(.rule(rule))
            return
        }
        let object: JSONObject
        let text = String(text.drop(while: \.isWhitespace))
        if text.hasPrefix("{") {
            do {
                guard let parsed = try JSONValue(parsing: text).object else {
                    throw ModelError.invalidDeviceMap("is no object")
                }
                object = parsed
            } catch let error as JSONError {
                throw ModelError.invalidDeviceMap("is no JSON: \(error)")
            }
        } else if text.hasSuffix(".json") {
            object = try ConfigurationFile(path: text).object
        } else {
            let rules = Rule.allCases.map(\.rawValue).joined(separator: ", ")
            throw ModelError.invalidDeviceMap("'\(text)' is neither \(rules), nor a .json file, nor a JSON object")
        }
        self.init(.entries(try object.members.map(Self.entry)))
    }

    private static func entry(_ member: JSONObject.Member) throws -> Entry {
        if let index = member.value.integer { return Entry(module: member.key, target: .index(index)) }
        guard let name = member.value.string else {
            let target = member.value.double.map { "\($0)" } ?? member.value.kind
            throw ModelError.invalidDeviceMap(
                "puts '\(member.key)' on \(target), but a device is a name or a number such as 0")
        }
        return Entry(module: member.key, target: .name(name))
    }
}
