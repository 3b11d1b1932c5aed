import ApusGeneration
package import ApusJSON

/// What a run is: all that may change a byte of its results. Numbers of processes, batches, threads, paths and times are none
/// of it.
package struct RunHeader: Sendable {
    private enum Key {
        static let version = "version"
        static let instructionSet = "instruction_set"
        static let model = "model"
        static let settings = "settings"
        static let part = "shard"
        static let replaces = "replaces"
    }

    package let json: JSONObject

    /// - Parameters:
    ///   - shard: `3/8`, or `nil` for a whole run.
    ///   - replaces: whether it began with the wish to replace what its output holds. May differ when it goes on.
    package init(
        settings: WorkerSettings, model: ModelIdentity, version: String, instructionSet: String, shard: String?,
        replaces: Bool = false
    ) {
        var object: JSONObject = [
            Key.version: .string(version), Key.instructionSet: .string(instructionSet), Key.model: model.json,
            Key.settings: .object(settings.json),
        ]
        if let shard { object.append(Key.part, .string(shard)) }
        if replaces { object.append(Key.replaces, true) }
        json = object
    }

    /// Whether a journal is of a shard, by its name, of the run that a manifest describes.
    static func isPart(_ header: JSONObject, _ name: String, of run: JSONObject) -> Bool {
        guard header[Key.part]?.string == name else { return false }
        return difference(from: run, to: JSONObject(header.members.filter { $0.key != Key.part })) == nil
    }

    static func replaces(_ header: JSONObject?) -> Bool { header?[Key.replaces]?.bool ?? false }

    package static func instructionSet(of header: JSONObject) -> String? { header[Key.instructionSet]?.string }

    /// What of a run that was noted is otherwise now, as a sentence's end; `nil` if nothing is.
    package static func difference(from noted: JSONObject, to own: JSONObject) -> String? {
        func text(_ value: JSONValue?) -> String { value.map { $0.string ?? $0.serialized } ?? "not set" }
        for key in [Key.version, Key.instructionSet, Key.part] where noted[key] != own[key] {
            return
                "its \(key.split(separator: "_").joined(separator: " ")) was \(text(noted[key])), and now is \(text(own[key]))"
        }
        if let change = ModelIdentity.difference(from: noted[Key.model], to: own[Key.model]) {
            return "it had another model: \(change)"
        }
        let (old, new) = (noted[Key.settings]?.object ?? [:], own[Key.settings]?.object ?? [:])
        for key in old.map(\.key) + new.map(\.key) where old[key] != new[key] {
            return "its setting \(key) was \(text(old[key])), and now is \(text(new[key]))"
        }
        return nil
    }
}
