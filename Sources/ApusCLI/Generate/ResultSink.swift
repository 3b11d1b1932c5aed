/// Writes results in the order of the prompts, each as soon as all before it are there.
final class ResultSink {
    /// Whether a person reads the output.
    let isReadable: Bool

    private let output: OutputDescriptor
    private let ownsOutput: Bool
    private var pending: [Int: String] = [:]
    private var next = 0

    /// To a file, or to standard output. Throws `CommandError` if the file cannot be made.
    init(path: String?, readable: Bool) throws(CommandError) {
        if let path {
            output = try OutputDescriptor(creating: path)
        } else {
            output = .standardOutput
        }
        ownsOutput = path != nil
        isReadable = path == nil && readable && output.isTerminal
    }

    deinit { if ownsOutput { output.close() } }

    /// Takes the line of one prompt and writes all that are due. Throws `CommandError` if that fails; lines written
    /// before stay.
    func put(_ line: String, at index: Int) throws(CommandError) {
        pending[index] = line
        var due = ""
        while let line = pending.removeValue(forKey: next) {
            due += line + "\n"
            next += 1
        }
        try output.write(due.utf8)
    }

    /// Writes what is there although results before it are missing, still in order: a run that failed keeps its work.
    func putRest() throws(CommandError) {
        let lines = pending.sorted { $0.key < $1.key }.map { $0.value + "\n" }
        pending = [:]
        try output.write(lines.joined().utf8)
    }
}
