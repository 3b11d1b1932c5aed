/// Writes results in the order of the prompts, each as soon as all before it are there.
final class ResultSink {
    /// Whether a person reads the output.
    let isReadable: Bool

    /// `nil` for standard output.
    private let file: ResultFile?
    private var pending: [Int: String] = [:]
    private var next = 0

    /// To a file, or to standard output.
    init(_ file: ResultFile?, readable: Bool) {
        self.file = file
        isReadable = file == nil && readable && OutputDescriptor.standardOutput.isTerminal
    }

    /// Where results stand that have not got their name yet.
    var partial: String? { file?.partial }

    /// Takes the line of one prompt and writes all that are due. Throws `CommandError` if that fails; lines written
    /// before stay.
    func put(_ line: String, at index: Int) throws(CommandError) {
        pending[index] = line
        var due = ""
        while let line = pending.removeValue(forKey: next) {
            due += line + "\n"
            next += 1
        }
        try write(due)
    }

    /// Writes what is there although results before it are missing, still in order: a run that failed keeps its work.
    func putRest() throws(CommandError) {
        let lines = pending.sorted { $0.key < $1.key }.map { $0.value + "\n" }
        pending = [:]
        try write(lines.joined())
    }

    /// All results are there. Throws `CommandError` if they cannot get their name.
    func finish() throws(CommandError) { try file?.finish() }

    private func write(_ text: String) throws(CommandError) {
        if let file { try file.write(text.utf8) } else { try OutputDescriptor.standardOutput.write(text.utf8) }
    }
}
