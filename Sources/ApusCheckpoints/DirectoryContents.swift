import ApusJSON
import FoundationEssentials

/// The file names of a checkpoint directory.
struct DirectoryContents {
    enum Weights {
        case single(String)
        case sharded(index: String)
    }

    static let weightsName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"

    let path: String
    private let names: [String]
    private let lookup: Set<ExactString>

    init(path: String) throws(CheckpointError) {
        var isDirectory = false
        guard !path.isEmpty, !path.utf8.contains(0),
            FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        else { throw .notFound("\(path.isEmpty ? path.quoted : path): no such directory") }
        guard isDirectory else { throw .notFound("\(path): is a file, but a directory with a checkpoint is needed") }
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .unreadable("\(path): the directory cannot be listed")
        }
        self.path = path
        lookup = Set(names.map(ExactString.init))
    }

    func contains(_ name: String) -> Bool { lookup.contains(ExactString(name)) }

    /// In order, without those that begin with a dot.
    var visibleNames: [String] { names.filter { !$0.hasPrefix(".") } }

    func path(of name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    func weights() throws(CheckpointError) -> Weights {
        if contains(Self.weightsName) { return .single(Self.weightsName) }
        if contains(Self.indexName) { return .sharded(index: Self.indexName) }
        let others = names.filter { $0.hasSuffix(".safetensors") }
        if others.count == 1 { return .single(others[0]) }
        guard others.isEmpty else {
            throw .unsupported(
                "\(path): holds \(others.count) safetensors files, but neither \(Self.weightsName) nor \(Self.indexName) "
                    + "says which to read: \(others.listed(atMost: 5))")
        }
        let pickles = names.filter { $0.hasSuffix(".bin") || $0.hasSuffix(".pt") || $0.hasSuffix(".pth") }
        if let pickle = pickles.first {
            throw .unsupported(
                "\(path): holds \(pickle), a Python pickle, which is not read; convert the checkpoint to safetensors")
        }
        throw .notFound("\(path): holds no \(Self.weightsName)")
    }
}
