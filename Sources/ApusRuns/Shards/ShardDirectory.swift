import ApusCPU
import ApusDistributed
import ApusJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The directory that the shards of one run write: a file each, its journal, and their manifest.
package struct ShardDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// `part-00007-of-00030.jsonl`, counted from 0.
    package func file(of shard: Int, of count: Int) -> String {
        func padded(_ number: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(5 - digits.count, 0)) + digits
        }
        return "\(path)/part-\(padded(shard))-of-\(padded(count)).jsonl"
    }

    /// What a shard is to do. Makes directory and manifest if this is the first.
    ///
    /// - Parameter remark: is told which task of an array this is, where the scheduler said it.
    /// - Throws: `RunError` (`.refused`) where input, model, settings or number of shards are not those of the others.
    package func part(
        _ choice: ShardChoice, input: PromptInput, settings: WorkerSettings, version: String,
        environment: [String: String], remark: (String) -> Void
    ) throws(RunError) -> (part: RunPart, output: String) {
        guard case .file(let prompts) = input, prompts != "-", input.file != nil else {
            throw RunError("--shard goes with --prompts FILE: each shard reads its own part of it")
        }
        if mkdir(path, 0o777) != 0, errno != EEXIST {
            throw RunError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        let found = try ShardManifest(in: path)
        let (index, count) = try Self.place(choice, manifest: found, environment, remark)
        let model = try ModelIdentity(directory: settings.model)
        func header(_ instructionSet: String) -> JSONObject {
            RunHeader(
                settings: settings, model: model, version: version, instructionSet: instructionSet, shard: nil
            ).json
        }
        let own = try Self.instructionSet()
        let manifest: ShardManifest
        if let found {
            manifest = found
        } else {
            let made = try ShardManifest(surveying: prompts, shards: count, header: header(own))
            manifest = try made.publish(in: path)
        }
        guard manifest.parts.count == count else {
            throw RunError("\(path): has \(manifest.parts.count) shards, not \(count)")
        }
        let noted = RunHeader.instructionSet(of: manifest.header) ?? own
        if let change = RunHeader.difference(from: manifest.header, to: header(noted)) {
            throw RunError("\(path): is of another run: \(change)")
        }
        guard FileIdentity(prompts)?.byteCount == manifest.byteCount else {
            throw RunError("\(prompts): is another than when the run began, whose shards stand in \(path)")
        }
        var part = RunPart()
        part.place = manifest.parts[index].place
        part.count = manifest.parts[index].count
        part.name = "\(index)/\(count)"
        part.model = model
        part.instructionSet = noted
        var reader = try PromptReader(input, at: part.place)
        part.survey = try InputSurvey(&reader, count: part.count)
        guard part.survey?.digest == manifest.parts[index].digest else {
            throw RunError("\(prompts): is another than when the run began, whose shards stand in \(path)")
        }
        return (part, file(of: index, of: count))
    }

    private static func instructionSet() throws(RunError) -> String {
        do {
            return "\(try InstructionSet.selected())"
        } catch {
            throw RunError("\(error)")
        }
    }

    private static func place(
        _ choice: ShardChoice, manifest: ShardManifest?, _ environment: [String: String], _ remark: (String) -> Void
    ) throws(RunError) -> (Int, Int) {
        switch choice {
        case .part(let index, let count): return (index, count)
        case .auto(let count):
            let task = try ArrayTask(environment: environment)
            guard let count = count ?? manifest?.parts.count ?? task.count else {
                throw RunError("--shard auto: \(task.variable) does not say how many there are; give auto/n")
            }
            guard task.index < count else {
                throw RunError("--shard auto: \(task.variable) says task \(task.index), but there are \(count) shards")
            }
            remark("shard \(task.index)/\(count), by \(task.variable)")
            return (task.index, count)
        }
    }
}
