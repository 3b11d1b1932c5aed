/// What is loaded from a damaged directory, and used if it loads.
protocol FuzzSubject: Sendable {
    /// Loads and uses. Returns normally or throws one of the errors that people are meant to see.
    func exercise(_ directory: String) throws
}

/// A sound directory to damage, held in memory.
struct FuzzSource: Sendable {
    let name: String
    /// Whether it is one of many that were put together at random.
    var isPutTogether = false
    let files: [(name: String, bytes: [UInt8])]
    let subject: any FuzzSubject

    func sound(_ name: String) -> [UInt8] { files.first { $0.name == name }?.bytes ?? [] }
}

/// Something that loaded but is not what its file says.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String
}
