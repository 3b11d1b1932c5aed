/// A request as it goes out.
package struct HTTPRequest: Sendable {
    package let method: String
    package let address: HTTPAddress
    package let headers: [(name: String, value: String)]

    package init(_ method: String, _ address: HTTPAddress, headers: [(name: String, value: String)]) {
        (self.method, self.address, self.headers) = (method, address, headers)
    }
}

/// What an answer begins with.
package struct HTTPHead: Sendable {
    package let status: Int
    /// By their names in small letters.
    private let headers: [String: String]

    package init(status: Int, headers: [(name: String, value: String)]) {
        self.status = status
        self.headers = Dictionary(
            headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    package subscript(name: String) -> String? { headers[name.lowercased()] }

    package var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
}

/// What speaks HTTP: one request, one answer. It follows no redirect, so that whoever asks decides what goes to whom.
package protocol HTTPTransport: Sendable {
    /// - Parameters:
    ///   - head: is told once what the answer begins with, and says whether the rest is wanted.
    ///   - part: gets the body piece by piece. The next piece is asked for when it returns.
    /// - Throws: ``HTTPFailure`` where no answer comes or it breaks off, and whatever the closures throw.
    func send(
        _ request: HTTPRequest, head: (HTTPHead) throws -> Bool, part: (UnsafeRawBufferPointer) throws -> Void
    ) async throws
}

/// No answer, or half of one: the same may succeed later.
package struct HTTPFailure: Error, CustomStringConvertible {
    package let description: String
    /// Whether nobody was reached at all, which seldom changes within a minute.
    package let isUnreached: Bool

    package init(_ description: String, isUnreached: Bool = false) {
        (self.description, self.isUnreached) = (description, isUnreached)
    }
}
