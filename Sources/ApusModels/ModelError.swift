import ApusJSON

/// Why a model could not be built or run, in one sentence.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// An architecture, or an option of one, that has no implementation here.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A configuration that contradicts itself.
        public static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        /// A batch that does not fit the model or its cache.
        public static let invalidBatch = Code(rawValue: "invalidBatch")
        /// A device map that names what there is not, or leaves something out.
        public static let invalidDeviceMap = Code(rawValue: "invalidDeviceMap")
        /// A model that the devices have no room for.
        public static let doesNotFit = Code(rawValue: "doesNotFit")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension ModelError {
    // Messages quote what stands in a configuration, which may be long or hold what a line of text cannot show.
    static func unsupported(_ message: String) -> ModelError {
        ModelError(code: .unsupported, message: message.printable())
    }
    static func invalidConfiguration(_ message: String) -> ModelError {
        ModelError(code: .invalidConfiguration, message: message.printable())
    }
    static func invalidBatch(_ message: String) -> ModelError { ModelError(code: .invalidBatch, message: message) }
    package static func invalidDeviceMap(_ message: String) -> ModelError {
        ModelError(code: .invalidDeviceMap, message: "the device map \(message)".printable())
    }
    package static func doesNotFit(_ message: String) -> ModelError { ModelError(code: .doesNotFit, message: message) }
}
