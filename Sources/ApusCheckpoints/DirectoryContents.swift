import ApusJSON
import FoundationEssentials

/// The file names of a checkpoint directory.
struct DirectoryContents {
    enum Weights {
        case single(String)
        /// Files that hold all tensors together, without an index.
        case shards([String])
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
        else { throw .notFound(Self.absence(of: path)) }
        guard isDirectory else { throw .notFound("\(path): is a file, but a directory with a checkpoint is needed") }
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .unreadable("\(path): the directory cannot be listed")
        }
        self.path = path
        lookup = Set(names.map(ExactString.init))
    }

    /// What to say of a directory that is not there; a name of a hub's model is often taken for one.
    static func absence(of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let looksLikeName =
            parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "." && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            }
        return "\(path.isEmpty ? path.quoted : path): no such directory"
            + (looksLikeName ? "; if it is a model's name on a hub, fetch it with: apus download \(path)" : "")
    }

    func contains(_ name: String) -> Bool { lookup.contains(ExactString(name)) }

    /// Whether there is such a file here or in a directory below.
    func reaches(_ name: String) -> Bool { contains(name) || FileManager.default.fileExists(atPath: path(of: name)) }

    /// In order, without those that begin with a dot.
    var visibleNames: [String] { names.filter { !$0.hasPrefix(".") } }

    func path(of name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    func weights() throws(CheckpointError) -> Weights {
        if contains(Self.weightsName) { return .single(Self.weightsName) }
        if contains(Self.indexName) { return .sharded(index: Self.indexName) }
        let all = names.filter { $0.hasSuffix(".safetensors") }
        // Mistral's own layout and adapters may lie beside a model; alone, they are what there is to read.
        let others = all.filter { name in !Self.companionPrefixes.contains(where: name.hasPrefix) }
        if let shards = try ShardNames(others)?.complete(in: path) { return .shards(shards) }
        if others.count == 1 { return .single(others[0]) }
        guard others.isEmpty else {
            throw .unsupported(
                "\(path): holds \(others.count) safetensors files, but neither \(Self.weightsName) nor \(Self.indexName) "
                    + "says which to read: \(others.listed(atMost: 5))")
        }
        if let companion = all.first {
            throw .unsupported("\(path): holds no \(Self.weightsName), only \(companion), which is not in its layout")
        }
        let pickles = names.filter { name in Self.pickleSuffixes.contains(where: name.hasSuffix) }
        if let pickle = pickles.first {
            throw .unsupported(
                "\(path): holds \(pickle), a Python pickle, which is not read, only safetensors; convert the checkpoint to "
                    + "safetensors with transformers: AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(NEW_DIR)"
            )
        }
        throw .notFound("\(path): holds no \(Self.weightsName)")
    }

    private static let companionPrefixes = ["consolidated", "adapter_"]
    private static let pickleSuffixes = [".bin", ".pt", ".pth", ".ckpt"]
}
