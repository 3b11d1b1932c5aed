package import ApusHub

#if Download
    import AsyncHTTPClient
    import NIOCore
    import NIOHTTP1
    import NIOPosix

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #else
        import Darwin
    #endif

    /// HTTP by async-http-client.
    struct AsyncHTTPTransport: HTTPTransport {
        private let client: HTTPClient

        /// A server that says nothing for so long is taken for gone.
        private static let silence = TimeAmount.seconds(30)

        private init(_ environment: HubEnvironment) {
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: .init(connect: .seconds(10), read: Self.silence),
                decompression: .disabled)
            // How often is tried again is for whoever asks to decide.
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.proxy = ProxyChoice(environment).map { proxy in
                .server(
                    host: proxy.host, port: proxy.port,
                    authorization: proxy.credentials.map { .basic(credentials: $0) })
            }
            client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }

        static func use<Result>(
            _ environment: HubEnvironment, _ body: (any HTTPTransport) async throws -> Result
        ) async throws -> Result {
            let transport = AsyncHTTPTransport(environment)
            do {
                let result = try await body(transport)
                try? await transport.client.shutdown()
                return result
            } catch {
                try? await transport.client.shutdown()
                throw error
            }
        }

        func send(
            _ request: HTTPRequest, head: (HTTPHead) throws -> Bool, part: (UnsafeRawBufferPointer) throws -> Void
        ) async throws {
            var message = HTTPClientRequest(url: request.address.description)
            message.method = HTTPMethod(rawValue: request.method)
            for header in request.headers { message.headers.add(name: header.name, value: header.value) }
            let response: HTTPClientResponse
            do {
                response = try await client.execute(message, deadline: .distantFuture)
            } catch {
                throw try Self.failure(error)
            }
            let found = HTTPHead(
                status: Int(response.status.code), headers: response.headers.map { (name: $0.name, value: $0.value) })
            guard try head(found), request.method != "HEAD" else { return }
            var parts = response.body.makeAsyncIterator()
            while true {
                let next: ByteBuffer?
                do {
                    next = try await parts.next()
                } catch {
                    throw try Self.failure(error)
                }
                guard let next else { return }
                try next.withUnsafeReadableBytes { try part($0) }
            }
        }

        /// What a person can make of an error of the library's.
        private static func failure(_ error: any Error) throws -> HTTPFailure {
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            if let error = error as? NIOConnectionError {
                guard let last = error.connectionErrors.last else {
                    return HTTPFailure("the address of this name is not known; is there a network?", isUnreached: true)
                }
                return Self.failure(last.error as? IOError, "no connection", isUnreached: true)
            }
            if let error = error as? IOError {
                let isUnreached = [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ENETDOWN].contains(error.errnoCode)
                return Self.failure(
                    error, isUnreached ? "no connection" : "the connection broke", isUnreached: isUnreached)
            }
            if let error = error as? HTTPClientError {
                switch error {
                case .connectTimeout: return HTTPFailure("no connection within 10 s", isUnreached: true)
                case .readTimeout: return HTTPFailure("no answer for \(silence.nanoseconds / 1_000_000_000) s")
                case .remoteConnectionClosed: return HTTPFailure("the connection was closed")
                default: return HTTPFailure(error.shortDescription)
                }
            }
            let text = "\(error)"
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                return HTTPFailure("its certificate is not of an authority that this machine trusts", isUnreached: true)
            }
            return text.contains("handshakeFailed")
                ? HTTPFailure("it does not speak TLS as it should: \(text)", isUnreached: true) : HTTPFailure(text)
        }

        private static func failure(_ error: IOError?, _ what: String, isUnreached: Bool) -> HTTPFailure {
            let reason = error.map { ": " + String(cString: strerror($0.errnoCode)).lowercased() } ?? ""
            return HTTPFailure(what + reason, isUnreached: isUnreached)
        }
    }
#endif

/// The network of this build.
package enum Network {
    /// Gives a body what speaks HTTP. Throws `HubError` (`.offline`) where the build has nothing that does.
    package static func use<Result>(
        _ environment: HubEnvironment, _ body: (any HTTPTransport) async throws -> Result
    ) async throws -> Result {
        #if Download
            return try await AsyncHTTPTransport.use(environment, body)
        #else
            throw HubError(
                code: .offline,
                message: "this build has no network: it was made without the package's trait Download")
        #endif
    }
}
