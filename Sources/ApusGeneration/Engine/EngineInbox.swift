import Synchronization

/// Where requests and cancellations wait for the engine's next step. Requests enter in the order in which they were made.
final class EngineInbox: Sendable {
    typealias Tokens = AsyncThrowingStream<GeneratedToken, any Error>
    /// What a beam search found, all at once.
    typealias Sequences = AsyncThrowingStream<[GenerationOutput], any Error>

    enum Listener: Sendable {
        case tokens(Tokens.Continuation)
        case sequences(Sequences.Continuation)

        func finish(throwing error: any Error) {
            switch self {
            case .tokens(let listener): listener.finish(throwing: error)
            case .sequences(let listener): listener.finish(throwing: error)
            }
        }
    }

    struct Arrival: Sendable {
        let id: Int
        let request: GenerationRequest
        let listener: Listener
    }

    struct Mail: Sendable {
        /// In order.
        var arrivals: [Arrival] = []
        /// Requests whose streams nobody reads any more.
        var dropped: Set<Int> = []

        var isEmpty: Bool { arrivals.isEmpty && dropped.isEmpty }
    }

    private struct State {
        var nextID = 0
        var mail = Mail()
        /// Whether somebody will take what is here.
        var isServed = false
    }

    private let state = Mutex(State())

    /// Takes requests in, all at once. `isServed` tells whether somebody takes them out already; otherwise it is the caller's
    /// to see to it.
    func add(_ requests: [GenerationRequest]) -> (streams: [Tokens], isServed: Bool) {
        add(requests, Listener.tokens)
    }

    /// The same for requests of beam searches.
    func add(searches requests: [GenerationRequest]) -> (streams: [Sequences], isServed: Bool) {
        add(requests, Listener.sequences)
    }

    private func add<Element>(
        _ requests: [GenerationRequest], _ listener: (AsyncThrowingStream<Element, any Error>.Continuation) -> Listener
    ) -> (streams: [AsyncThrowingStream<Element, any Error>], isServed: Bool) {
        let pairs = requests.map { _ in AsyncThrowingStream<Element, any Error>.makeStream() }
        let (first, isServed) = state.withLock { state in
            defer {
                state.nextID += requests.count
                state.isServed = true
            }
            for (offset, request) in requests.enumerated() {
                state.mail.arrivals.append(
                    Arrival(
                        id: state.nextID + offset, request: request, listener: listener(pairs[offset].continuation)))
            }
            return (state.nextID, state.isServed)
        }
        // Streams that are dropped before this line have not been handed out.
        for (offset, pair) in pairs.enumerated() {
            pair.continuation.onTermination = { [weak self] reason in
                if case .cancelled = reason { self?.drop(first + offset) }
            }
        }
        return (pairs.map(\.stream), isServed)
    }

    private func drop(_ id: Int) {
        // Where nobody serves, no request is left.
        state.withLock { state in
            if state.isServed { state.mail.dropped.insert(id) }
        }
    }

    /// What has come since the last time; requests that were dropped before they were taken are left out. `nil` if there is
    /// nothing and the engine is idle: it is then not served any more.
    func take(isIdle: Bool) -> Mail? {
        state.withLock { state in
            if isIdle, state.mail.isEmpty {
                state.isServed = false
                return nil
            }
            defer { state.mail = Mail() }
            var mail = state.mail
            mail.arrivals.removeAll { mail.dropped.contains($0.id) }
            return mail
        }
    }
}
