package import ApusHub

#if Download
    import AsyncHTTPClient
    import NIOCore
    import NIOHTTP1

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
            guard let error = error as? HTTPClientError else { return HTTPFailure("\(error)") }
            switch error {
            case .connectTimeout: return HTTPFailure("no connection within 10 s")
            case .readTimeout: return HTTPFailure("no answer for \(silence.nanoseconds / 1_000_000_000) s")
            case .remoteConnectionClosed: return HTTPFailure("the connection was closed")
            default: return HTTPFailure(error.shortDescription)
            }
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
