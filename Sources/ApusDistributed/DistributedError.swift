/// What went wrong between processes, in one sentence that names the rank at fault where there is one.
public struct DistributedError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A rank ended or was killed while others counted on it.
        public static let rankFailed = Code(rawValue: "rankFailed")
        /// An error left a closure that a rank gave to its accelerator.
        public static let threw = Code(rawValue: "threw")
        /// The ranks called different collectives, or passed tensors that do not fit together.
        public static let mismatch = Code(rawValue: "mismatch")
        public static let invalidArgument = Code(rawValue: "invalidArgument")
        /// What was to be split cannot be: its parts differ in length, or a tensor has no rows.
        public static let unsplittable = Code(rawValue: "unsplittable")
        /// The environment promises other processes that are not there.
        public static let environment = Code(rawValue: "environment")
        public static let connection = Code(rawValue: "connection")
        /// The task of a rank was cancelled while others counted on it.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Ranks did not come to a call within the time that another was ready to wait.
        public static let timedOut = Code(rawValue: "timedOut")
        /// A tensor or an object has more bytes than can be sent at once.
        public static let tooLarge = Code(rawValue: "tooLarge")
        /// A program could not be started.
        public static let launch = Code(rawValue: "launch")
    }

    public let code: Code
    public let message: String
    /// The rank at fault, where one is.
    public let rank: Int?

    public init(code: Code, message: String, rank: Int? = nil) {
        self.code = code
        self.message = message
        self.rank = rank
    }

    public var description: String { message }
}

extension DistributedError {
    static func rankFailed(_ rank: Int, _ message: String) -> DistributedError {
        DistributedError(code: .rankFailed, message: message, rank: rank)
    }
    static func mismatch(_ message: String, rank: Int? = nil) -> DistributedError {
        DistributedError(code: .mismatch, message: message, rank: rank)
    }
    static func invalidArgument(_ message: String) -> DistributedError {
        DistributedError(code: .invalidArgument, message: message)
    }
    static func unsplittable(_ message: String) -> DistributedError {
        DistributedError(code: .unsplittable, message: message)
    }
    static func environment(_ message: String) -> DistributedError {
        DistributedError(code: .environment, message: message)
    }
    static func connection(_ message: String) -> DistributedError {
        DistributedError(code: .connection, message: message)
    }
    static func tooLarge(_ bytes: Int) -> DistributedError {
        DistributedError(
            code: .tooLarge, message: "a message of \(bytes) bytes is over the limit of \(Frame.messageLimit) bytes")
    }
    static func launch(_ message: String) -> DistributedError { DistributedError(code: .launch, message: message) }
}
