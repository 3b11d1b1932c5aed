import ApusCheckpoints
import ApusCompute
import ApusHub
package import ApusJSON
import ApusModels
import ApusTokenizers

/// All that can be said of one model without running it.
package struct ModelDetails: Sendable {
    package private(set) var summary: ModelSummary
    package private(set) var parameters: Double?
    package private(set) var layers: Int?
    package private(set) var hiddenSize: Int?
    package private(set) var vocabularySize: Int?
    package private(set) var contextLength: Int?
    /// Largest first.
    package private(set) var formats: [StoredFormat] = []
    /// Tokens that the tokenizer has; `nil` without one.
    package private(set) var tokens: Int?
    /// Of chat templates.
    package private(set) var templates: [String] = []
    /// Why the tokenizer cannot be read.
    package private(set) var tokenizerRemark: String?

    /// - Parameter argument: what `--model` takes.
    /// - Throws: `HubError` for a name that the cache does not hold, `CheckpointError` for a path that leads nowhere.
    package init(of argument: String) throws {
        let path = try ModelPath().resolve(argument, for: .tokenizer)
        let machine = try MachineDevices()
        let revision =
            SmallFile.exists(argument) ? nil : ModelPath.name(argument).map { $0.revision ?? HubName.defaultRevision }
        if GGUFFiles.isOne(path) {
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            let files = GGUFFiles(SmallFile.names(in: folder)).models
            let file = path.split(separator: "/").last.map(String.init) ?? path
            let model = files.first { $0.parts.contains(file) } ?? .init(parts: [file], count: 1)
            summary = ModelSummary(gguf: model, in: folder, named: argument, revision: revision, on: machine)
        } else {
            try Checkpoint.requireDirectory(path)
            summary = ModelSummary(
                checkpoint: path, named: argument, revision: revision, files: SmallFile.files(below: path), on: machine)
        }
        describeWeights(path)
        do {
            let tokenizer = try AutoTokenizer.ifPresent(in: path)
            tokens = tokenizer?.vocabularySize
            templates = tokenizer?.chatTemplateNames ?? []
        } catch {
            tokenizerRemark = error.message
        }
    }

    private mutating func describeWeights(_ path: String) {
        if let checkpoint = try? Checkpoint(directory: path) { formats = StoredFormat.all(of: checkpoint) }
        guard let description = try? ModelDescription(path: path), let model = try? description.planned(cacheType: nil)
        else { return }
        let spec = model.spec
        parameters = spec.parameterCount
        (layers, hiddenSize, vocabularySize) = (spec.layers, spec.hiddenSize, spec.vocabularySize)
        contextLength = spec.trainedContextLength
    }

    /// Of all tensors.
    package var weightByteCount: Int { formats.reduce(0) { $0 + $1.byteCount } }

    package var bitsPerWeight: Double? {
        guard let parameters, parameters > 0, !formats.isEmpty else { return nil }
        return Double(weightByteCount) * 8 / parameters
    }

    package var json: JSONObject {
        var object = summary.json
        object.append("parameters", parameters.map { JSONValue(count: $0) } ?? .null)
        object.append("layers", layers.map { .integer($0) } ?? .null)
        object.append("hidden_size", hiddenSize.map { .integer($0) } ?? .null)
        object.append("vocabulary_size", vocabularySize.map { .integer($0) } ?? .null)
        object.append("context_length", contextLength.map { .integer($0) } ?? .null)
        object.append(
            "tensors",
            .array(
                formats.map {
                    [
                        "format": .string($0.name), "count": .integer($0.tensors), "bytes": .integer($0.byteCount),
                        "path": .string($0.path.rawValue),
                    ]
                }))
        object.append("bits_per_weight", bitsPerWeight.map { .number($0) } ?? .null)
        object.append("tokens", tokens.map { .integer($0) } ?? .null)
        object.append("chat_templates", .array(templates.map { .string($0) }))
        return object
    }
}

extension JSONValue {
    fileprivate init(count: Double) { self = Int(exactly: count).map { .integer($0) } ?? .number(count) }
}
