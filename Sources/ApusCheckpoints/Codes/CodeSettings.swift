import ApusCompute
import ApusJSON
import Synchronization

/// What the files of a directory say of the codes in its tensors. The tensors decide where they can; this is for the rest.
struct CodeSettings: Sendable {
    let file: String
    let orders = InputOrders()
    private let object: JSONObject

    /// Names of the object in `config.json`, and of files that hold it alone.
    private static let keys = ["quantization_config", "quantization"]
    private static let files = ["quantize_config.json", "quantization_config.json", "quant_config.json"]

    /// Throws `CheckpointError` (`.malformed`, `.unreadable`) for files that cannot be read.
    init(_ contents: DirectoryContents) throws(CheckpointError) {
        let path = contents.path(of: "config.json")
        let config = contents.contains("config.json") ? try ConfigurationFile(path: path) : nil
        for key in Self.keys {
            if let object = config?.object[key]?.object ?? config?.object["text_config"]?.object?[key]?.object {
                (file, self.object) = (path, object)
                return
            }
        }
        for name in Self.files where contents.contains(name) {
            file = contents.path(of: name)
            object = try ConfigurationFile(path: file).object
            return
        }
        (file, object) = (path, JSONObject([]))
    }

    var method: String? { string("quant_method") }

    var version: Int? { object["version"]?.integer }

    func string(_ key: String) -> String? { object[key]?.string?.lowercased() }

    /// A number that a module may have of its own.
    func integer(_ key: String, of module: String) -> Int? { own(of: module)?[key]?.integer ?? object[key]?.integer }

    func bool(_ key: String, of module: String) -> Bool? { own(of: module)?[key]?.bool ?? object[key]?.bool }

    /// What holds for one module apart from the others: GPTQModel's `dynamic`, AutoRound's `extra_config`, the weights of a
    /// group of compressed-tensors, MLX's object of that name.
    private func own(of module: String) -> JSONObject? {
        if let own = object[module]?.object { return own }
        for (key, prefix) in [("dynamic", "+:"), ("extra_config", "")] {
            for member in object[key]?.object?.members ?? [] {
                guard let own = member.value.object, !member.key.hasPrefix("-:") else { continue }
                let pattern = member.key.hasPrefix(prefix) ? String(member.key.dropFirst(prefix.count)) : member.key
                if pattern == module || Self.begins(module, with: pattern) { return own }
            }
        }
        let groups = object["config_groups"]?.object?.members.compactMap(\.value.object) ?? []
        func group(_ isMeant: (String) -> Bool) -> JSONObject? {
            groups.first { $0["targets"]?.array?.contains { $0.string.map(isMeant) ?? false } ?? false }
        }
        let named = group { target in
            target == module || target.hasPrefix("re:") && Self.begins(module, with: String(target.dropFirst(3)))
        }
        return (named ?? group { !$0.hasPrefix("re:") && !$0.contains(".") } ?? groups.first)?["weights"]?.object
    }

    /// Python's `re.match`. What is no expression here matches nothing.
    private static func begins(_ name: String, with pattern: String) -> Bool {
        guard pattern.utf8.count <= 1000, let expression = try? Regex(pattern) else { return false }
        return (try? expression.prefixMatch(in: name)) != nil
    }

    func integers(_ key: String, of module: String) -> [Int]? {
        (own(of: module)?[key] ?? object[key])?.array?.compactMap(\.integer)
    }

    /// Throws `CheckpointError` (`.unsupported`) for layouts that are not read.
    func check() throws(CheckpointError) {
        func refuse(_ key: String, _ known: [String]) throws(CheckpointError) {
            guard let value = string(key), !known.contains(value) else { return }
            throw .unsupported(
                "\(file): \(key) '\(value)' of \(method ?? "these") files is not read; known are "
                    + known.joined(separator: ", "))
        }
        switch method {
        case "gptq":
            try refuse("checkpoint_format", ["gptq", "gptq_v2"])
            try refuse("pack_dtype", ["int32", "torch.int32"])
        case "awq":
            try refuse("version", ["gemm"])
            try refuse("checkpoint_format", ["gemm"])
        case "auto-round", "auto_round":
            try refuse(
                "packing_format",
                ["auto_round", "auto_round:auto_gptq", "auto_round:gptq", "auto_round:auto_awq", "auto_round:awq"])
        case "compressed-tensors":
            if let transform = object["transform_config"]?.object, !transform.members.isEmpty {
                throw .unsupported("\(file): weights that were transformed (transform_config) are not read")
            }
        default: break
        }
    }
}

/// The orders of inputs in a checkpoint: those that are the same are one, so that products see that they are.
final class InputOrders: Sendable {
    private let known = Mutex<[[Int32]: InputOrder]>([:])

    func order(_ groups: [Int32]) -> InputOrder {
        known.withLock { known in
            if let order = known[groups] { return order }
            let order = InputOrder(groups: groups)
            known[groups] = order
            return order
        }
    }
}
