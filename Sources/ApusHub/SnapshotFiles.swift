import ApusJSON

/// What a snapshot holds of what a model needs. A download that was ended leaves a part of it.
package struct SnapshotFiles: Sendable {
    package let directory: String

    package init(directory: String) { self.directory = directory }

    package static let configuration = "config.json"
    package static let weights = "model.safetensors"
    package static let index = "model.safetensors.index.json"

    /// Weights in other formats than GGUF, whether Apus reads them or not.
    package static func isOtherWeight(_ name: String) -> Bool {
        [".safetensors", ".bin", ".pt", ".pth"].contains(where: name.hasSuffix)
    }

    /// The first file that should be there and is not.
    package func missing(for need: ModelPath.Need) -> String? {
        switch need {
        case .tokenizer: nil
        case .configuration: has(Self.configuration) ? nil : Self.configuration
        case .weights: has(Self.configuration) ? missingWeights : Self.configuration
        }
    }

    private func has(_ name: String) -> Bool { SmallFile.isFile("\(directory)/\(name)") }

    private var missingWeights: String? {
        if has(Self.weights) { return nil }
        if has(Self.index) { return Self.shards(inIndex: "\(directory)/\(Self.index)")?.first { !has($0) } }
        // Which others do is for the reader of checkpoints to say.
        return SmallFile.files(below: directory).contains(where: Self.isOtherWeight) ? nil : Self.weights
    }

    /// The files that an index names, in order; `nil` for what is no index.
    package static func shards(inIndex path: String) -> [String]? {
        guard let text = SmallFile.text(path, atMost: 64 << 20), let value = try? JSONValue(parsing: text),
            let map = value["weight_map"]?.object
        else { return nil }
        let names = Set(map.compactMap { $0.value.string }.map(ExactString.init)).map(\.string)
        return names.allSatisfy(HubName.isPath) ? names.sorted() : nil
    }
}
