import ApusCheckpoints
import ApusCompute
package import ApusHub
package import ApusJSON
import ApusModels

/// What can be said of a model at once, from its configuration and the headers of its weights.
package struct ModelSummary: Sendable {
    /// As `--model` takes it.
    package let name: String
    /// Of a hub; a branch or tag that leads to it, else the commit.
    package let revision: String?
    package let path: String
    /// Its `model_type`.
    package var family: String?
    /// The type of most of its weights, or what quantized them.
    package var format: String?
    /// Of all its files.
    package let byteCount: Int
    /// Whether this machine has memory for it and one sequence; `nil` where that cannot be told.
    package var fits: Bool?
    /// Why it cannot be run, or not yet.
    package var remark: String?

    /// Tokens of the sequence that a model must have room for.
    private static let contextLength = 2048

    /// A checkpoint's directory.
    package init(
        checkpoint directory: String, named name: String, revision: String? = nil, files: [String],
        on machine: MachineDevices
    ) {
        self.init(name: name, revision: revision, path: directory, files: files.map { "\(directory)/\($0)" })
        do {
            let config = try ConfigurationFile(path: "\(directory)/\(SnapshotFiles.configuration)")
            family = config["model_type"]?.string ?? config["architectures"]?.array?.first?.string
            format = Self.format(directory, config)
            if let missing = SnapshotFiles(directory: directory).missing(for: .weights) {
                remark = "incomplete: \(missing) is not there"
                return
            }
            _ = try Checkpoint(directory: directory)
            let description = try ModelDescription(path: directory)
            fits = try Self.fits(description, machine)
        } catch let error as CheckpointError where error.code == .notFound {
            remark = "no \(SnapshotFiles.configuration)"
        } catch {
            remark = Self.remark(error, besides: directory)
        }
    }

    /// One model of GGUF files, in one file or several.
    package init(
        gguf model: GGUFFiles.Model, in directory: String, named name: String, revision: String? = nil,
        on machine: MachineDevices
    ) {
        self.init(
            name: name, revision: revision, path: "\(directory)/\(model.name)",
            files: model.parts.map { "\(directory)/\($0)" })
        format = "gguf"
        guard model.isComplete else {
            remark = "incomplete: \(model.parts.count) of \(model.count) parts are there"
            return
        }
        do {
            family = try GGUFModel(path: path).configuration()["model_type"]?.string
            fits = try Self.fits(ModelDescription(path: path), machine)
        } catch {
            remark = Self.remark(error, besides: path)
        }
    }

    /// What an error says, without the path that it stands beside.
    private static func remark(_ error: any Error, besides path: String) -> String {
        let text = "\(error)"
        return String(text.hasPrefix(path) ? text.dropFirst(path.count).drop { "/: ".contains($0) } : text[...])
    }

    /// What holds no model at all.
    package init(name: String, revision: String?, path: String, files: [String]) {
        (self.name, self.revision, self.path) = (name, revision, path)
        byteCount = files.reduce(0) { $0 + (SmallFile.byteCount($1) ?? 0) }
    }

    private static func fits(_ description: ModelDescription, _ machine: MachineDevices) throws -> Bool {
        do {
            _ = try machine.plan(
                description, .auto, nil, cacheType: nil, batchSize: 1,
                contextLength: min(description.spec.trainedContextLength, contextLength))
            return true
        } catch let error as ModelError where error.code == .doesNotFit {
            return false
        }
    }

    /// Of quantized weights, what `quantization_config` calls it; of others, the type that most bytes have.
    static func format(_ directory: String, _ config: ConfigurationFile) -> String? {
        if let quantization = config["quantization_config"], let method = quantization["quant_method"]?.string {
            return method == "apus" ? quantization["format"]?.string ?? method : method
        }
        return (try? Checkpoint(directory: directory)).flatMap { StoredFormat.all(of: $0).first?.name }
    }

    package var json: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "revision": revision.map { .string($0) } ?? .null,
            "family": family.map { .string($0) } ?? .null, "format": format.map { .string($0) } ?? .null,
            "bytes": .integer(byteCount), "fits": fits.map { .bool($0) } ?? .null, "path": .string(path),
        ]
        if let remark { object.append("remark", .string(remark)) }
        return object
    }
}

/// The tensors of a checkpoint that have one type.
package struct StoredFormat: Sendable {
    /// How products read them.
    package enum Path: String, Sendable {
        case floats
        /// Of 8 bits, as the activations then are.
        case integers
        /// Codes that become bfloat16 on the way.
        case widened
    }

    package let name: String
    package let path: Path
    package let tensors: Int
    package let byteCount: Int

    private struct Kind: Hashable {
        let name: String
        let path: Path
    }

    private static func kind(of tensor: StoredTensor) -> Kind {
        if let blocks = tensor.blocks { return Kind(name: blocks.rawValue, path: .integers) }
        if let coded = tensor.coded, let format = try? coded.arrays(inputs: tensor.shape.last ?? 0).product {
            let isWidened = format.grouping?.isWidened ?? true
            return Kind(
                name: format.grouping == nil ? tensor.typeName : "\(format)", path: isWidened ? .widened : .integers)
        }
        let isInteger = tensor.dtype == .int8 || tensor.dtype == .uint8
        return Kind(name: name(of: tensor.dtype), path: isInteger ? .integers : .floats)
    }

    /// As the rest of Apus calls it, and otherwise as files do.
    private static func name(of dtype: StoredDType) -> String {
        switch dtype {
        case .float32: DType.float32.rawValue
        case .float16: DType.float16.rawValue
        case .bfloat16: DType.bfloat16.rawValue
        default: dtype.rawValue
        }
    }

    /// Largest first.
    static func all(of checkpoint: Checkpoint) -> [StoredFormat] {
        var counts: [Kind: (tensors: Int, bytes: Int)] = [:]
        for name in checkpoint.names {
            guard let tensor = checkpoint[name] else { continue }
            let kind = kind(of: tensor)
            counts[kind, default: (0, 0)].tensors += 1
            counts[kind, default: (0, 0)].bytes += tensor.byteCount
        }
        return counts.map { kind, count in
            StoredFormat(name: kind.name, path: kind.path, tensors: count.tensors, byteCount: count.bytes)
        }.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
    }
}
