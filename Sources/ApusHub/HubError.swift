import ApusJSON

/// Why a model of a hub is not found or cannot be fetched, in one sentence that names it.
public struct HubError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A text that no hub takes for a model's name.
        public static let invalidName = Code(rawValue: "invalidName")
        /// A variable of the environment that says nothing usable.
        public static let invalidSetting = Code(rawValue: "invalidSetting")
        /// What the cache of this machine does not hold, or not all of it.
        public static let notCached = Code(rawValue: "notCached")
        /// Several files of which one must be named.
        public static let ambiguous = Code(rawValue: "ambiguous")
        /// The hub has no such model, revision or file.
        public static let notFound = Code(rawValue: "notFound")
        /// The hub wants a token, or another one.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The network may not be used: `HF_HUB_OFFLINE`, or a build without it.
        public static let offline = Code(rawValue: "offline")
        /// No answer, or one that no hub gives; the same may succeed later.
        public static let network = Code(rawValue: "network")
        /// What came is not what the hub announced.
        public static let damaged = Code(rawValue: "damaged")
        /// The cache cannot be read or written: a full disk, a directory that may not be written.
        public static let cache = Code(rawValue: "cache")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message.printable()
    }

    public var description: String { message }
}
