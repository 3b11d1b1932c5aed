import ApusJSON

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Why a checkpoint or one of its configuration files could not be read, in one sentence that names the file.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A file or directory that is not there.
        public static let notFound = Code(rawValue: "notFound")
        /// A file that is there but cannot be opened, mapped or listed.
        public static let unreadable = Code(rawValue: "unreadable")
        /// A file whose contents break its own format.
        public static let malformed = Code(rawValue: "malformed")
        /// A well-formed file of a kind that is not read here.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A configuration value that is missing, of the wrong kind or out of bounds.
        public static let invalidValue = Code(rawValue: "invalidValue")
        /// Weights that a model needs and the checkpoint lacks, or has in another shape.
        public static let weights = Code(rawValue: "weights")
        /// A checkpoint that was to be written and cannot be: a full disk, a directory that may not be written.
        public static let unwritable = Code(rawValue: "unwritable")
        /// A name that something has already.
        public static let exists = Code(rawValue: "exists")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension CheckpointError {
    static func notFound(_ message: String) -> CheckpointError { CheckpointError(code: .notFound, message: message) }
    static func unreadable(_ message: String) -> CheckpointError {
        CheckpointError(code: .unreadable, message: message)
    }
    static func malformed(_ message: String) -> CheckpointError { CheckpointError(code: .malformed, message: message) }
    package static func unsupported(_ message: String) -> CheckpointError {
        CheckpointError(code: .unsupported, message: message)
    }
    package static func invalidValue(_ message: String) -> CheckpointError {
        CheckpointError(code: .invalidValue, message: message)
    }
    static func unwritable(_ message: String) -> CheckpointError {
        CheckpointError(code: .unwritable, message: message)
    }
    static func unwritable(_ path: String, _ number: Int32) -> CheckpointError {
        unwritable("\(path): cannot be written: \(String(cString: strerror(number)).lowercased())")
    }
    static func exists(_ message: String) -> CheckpointError { CheckpointError(code: .exists, message: message) }
    package static func weights(_ message: String) -> CheckpointError {
        CheckpointError(code: .weights, message: message)
    }
}

extension Collection<String> {
    /// The first names of a list, quoted, and how many more there are.
    func listed(atMost limit: Int = 20) -> String {
        let names = prefix(limit).map(\.quoted).joined(separator: ", ")
        return count > limit ? names + " and \(count - limit) more" : names
    }
}
