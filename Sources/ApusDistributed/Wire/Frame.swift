import NIOCore

/// One message on a socket: what it is, which request it belongs to, a small number, and bytes.
///
/// On the wire: `UInt32` length of what follows, `UInt8` kind, `UInt64` request, `Int32` argument, payload; big-endian.
struct Frame: Sendable, Equatable {
    var kind: Kind
    /// The sender's number for the request; the answer repeats it. 0 where no answer is awaited.
    var request: UInt64 = 0
    /// A rank or a count, by the kind.
    var argument: Int32 = 0
    var payload = ByteBuffer()

    static let headerByteCount = 13
    /// The longest message that a rank or a worker may send; NIO's buffers hold less than 4 GiB.
    static let messageLimit = 1 << 30
    /// A message with what goes before it.
    static let payloadLimit = messageLimit + 1024
    /// What a peer may send before it has shown the token.
    static let greetingLimit = 256
}

extension Frame {
    struct Kind: RawRepresentable, Hashable, Sendable {
        let rawValue: UInt8

        /// First on every connection: the argument is the rank, the payload the token.
        static let hello = Kind(rawValue: 1)
        /// The peer ends its connection on purpose.
        static let goodbye = Kind(rawValue: 2)
        /// A part of an answer that has several.
        static let part = Kind(rawValue: 3)
        /// The end of an answer.
        static let done = Kind(rawValue: 4)
        /// An error instead of an answer. Request 0: for whatever is or will be awaited.
        static let failure = Kind(rawValue: 5)

        /// The argument is the root; the payload its pattern, its name and the message.
        static let collective = Kind(rawValue: 16)
        static let send = Kind(rawValue: 17)
        static let receive = Kind(rawValue: 18)
        /// An error left a closure: the payload says which.
        static let abort = Kind(rawValue: 19)

        /// The task that made a call was cancelled: the payload is the call's name.
        static let cancel = Kind(rawValue: 20)
        /// A request has waited as long as it may: the request is that one's number, the payload says how long.
        static let expire = Kind(rawValue: 21)

        /// The present call of the rank may get another's results: the payload is an error, as in `failure`.
        static let doubt = Kind(rawValue: 22)

        /// The next position of a queue: the payload is its number and how many items it has, each in 8 bytes.
        static let next = Kind(rawValue: 23)

        /// The argument is the worker's room.
        static let take = Kind(rawValue: 32)
        static let submit = Kind(rawValue: 33)
        static let progress = Kind(rawValue: 34)
        /// What a pool's workers are told at their start.
        static let settings = Kind(rawValue: 35)
    }

    /// Throws `DistributedError` (`.tooLarge`) for a message that cannot be sent.
    static func check(messageOf byteCount: Int) throws(DistributedError) {
        if byteCount > messageLimit { throw .tooLarge(byteCount) }
    }

    static func failure(_ error: DistributedError, request: UInt64 = 0) -> Frame {
        let rank = error.rank.flatMap(Int32.init(exactly:)) ?? -1
        return Frame(
            kind: .failure, request: request, argument: rank,
            payload: ByteBuffer(string: error.code.rawValue + "\n" + error.message))
    }

    /// The error that a frame of kind `failure` carries.
    var error: DistributedError {
        let parts = String(buffer: payload).split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return .connection("an unreadable error came from the other side") }
        return DistributedError(
            code: DistributedError.Code(rawValue: String(parts[0])), message: String(parts[1]),
            rank: argument < 0 ? nil : Int(argument))
    }
}
