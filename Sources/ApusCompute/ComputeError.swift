/// What went wrong with a tensor or a device, in one sentence.
public struct ComputeError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let invalidShape = Code(rawValue: "invalidShape")
        public static let mismatch = Code(rawValue: "mismatch")
        public static let outOfMemory = Code(rawValue: "outOfMemory")
        public static let unsupported = Code(rawValue: "unsupported")
        public static let unknownDevice = Code(rawValue: "unknownDevice")
        /// A number of bytes that no device can have, or two of one device.
        public static let invalidBudget = Code(rawValue: "invalidBudget")
        /// A device that stopped working; nothing that is asked of it afterwards is done.
        public static let deviceFailed = Code(rawValue: "deviceFailed")
        /// Something was read or written while a device had yet to do so: a fault of the program.
        public static let misuse = Code(rawValue: "misuse")
    }

    public let code: Code
    public let message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

extension ComputeError {
    static func invalidShape(_ dimensions: [Int]) -> ComputeError {
        ComputeError(code: .invalidShape, message: "a tensor cannot have the shape \(dimensions)")
    }

    package static func mismatch(_ message: String) -> ComputeError { ComputeError(code: .mismatch, message: message) }
    package static func unsupported(_ message: String) -> ComputeError {
        ComputeError(code: .unsupported, message: message)
    }
    package static func outOfMemory(_ message: String) -> ComputeError {
        ComputeError(code: .outOfMemory, message: message)
    }
    package static func unknownDevice(_ message: String) -> ComputeError {
        ComputeError(code: .unknownDevice, message: message)
    }
    package static func deviceFailed(_ message: String) -> ComputeError {
        ComputeError(code: .deviceFailed, message: message)
    }
    package static func invalidBudget(_ message: String) -> ComputeError {
        ComputeError(code: .invalidBudget, message: message)
    }
    package static func misuse(_ message: String) -> ComputeError { ComputeError(code: .misuse, message: message) }
}
