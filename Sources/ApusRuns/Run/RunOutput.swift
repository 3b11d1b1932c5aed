#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a run's results go: a file with its journal, or something that has no end and is written as results come.
struct RunOutput {
    enum Place {
        case stream(OutputDescriptor)
        /// The file itself, links followed.
        case file(String, Journal)
    }

    let place: Place
    /// What a person knows it by.
    let name: String

    var journal: Journal? {
        if case .file(_, let journal) = place { journal } else { nil }
    }

    /// Opens what a path names; the lock on a file's journal is taken before anything else is done.
    ///
    /// - Parameter inputs: files that must not be written to.
    /// - Throws: `RunError`: `.tryAgain` if another run has it, else `.refused`.
    init(_ path: String?, inputs: [String]) throws(RunError) {
        guard let path, path != "-" else {
            name = OutputDescriptor.standardOutput.name
            place = .stream(.standardOutput)
            return
        }
        name = path
        let found = try OutputPlace(path)
        try Self.refuse(inputs, at: found.identity, path)
        switch found {
        case .descriptor(let number):
            place = .stream(try OutputDescriptor(duplicating: number, name: path))
        case .device:
            place = .stream(try OutputDescriptor(opening: path))
        case .file(let file):
            for beside in [".journal", ".partial"] {
                try Self.refuse(inputs, at: FileIdentity(file + beside), path + beside)
            }
            place = .file(file, try Journal(path: file + ".journal", of: path))
        }
    }

    private static func refuse(_ inputs: [String], at place: FileIdentity?, _ path: String) throws(RunError) {
        guard let place, let input = inputs.first(where: { FileIdentity($0) == place }) else { return }
        throw RunError("\(path): is the file \(input), which is read; results must go elsewhere")
    }

    /// Files of a model's directory, which must not be written to.
    static func files(of directory: String) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return [directory] }
        return names.map { "\(directory)/\($0)" }
    }
}
