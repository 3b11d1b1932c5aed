import ApusDistributed

/// Why a run ended, or could not begin, as the one line that a person reads.
public struct RunError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// It would fail again: bad input, a changed model, results that are there already.
        public static let refused = Code(rawValue: "refused")
        /// The same may succeed later: a disk that is full, another run on the same output, workers that died.
        public static let tryAgain = Code(rawValue: "tryAgain")
    }

    public let code: Code
    public let description: String

    package init(_ description: String, code: Code = .refused) {
        self.code = code
        self.description = description
    }
}

extension RunError {
    /// Whether what another part threw may succeed later.
    package static func code(of error: any Error) -> Code {
        switch error {
        case let error as RunError: error.code
        case let error as DistributedError: error.code == .threw ? .refused : .tryAgain
        default: WorkerProcess.isOfTheMoment(error) ? .tryAgain : .refused
        }
    }
}
