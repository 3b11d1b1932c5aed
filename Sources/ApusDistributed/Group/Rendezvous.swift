import DequeModule
import NIOCore

/// Who of a group waits for what, and who has gone: decides what to answer, does no I/O.
struct Rendezvous: Sendable {
    /// What to tell a rank about one of its requests.
    struct Answer: Sendable {
        let rank: Int
        let request: UInt64
        let result: Result<[ByteBuffer], DistributedError>
    }

    private struct Entry: Sendable {
        let collective: Collective
        let request: UInt64
        let payload: ByteBuffer
    }

    private struct Route: Hashable {
        let sender: Int
        let receiver: Int
    }

    /// What broke the group, if anything has.
    private(set) var failure: DistributedError?
    /// The collectives each rank has entered and not been answered, in the order of its calls.
    private var entered: [Deque<Entry>]
    /// How each rank ended that has.
    private var ends: [String?]
    /// Why the results of a rank's present call may be another's.
    private var doubts: [Int: DistributedError] = [:]
    private var sent: [Route: Deque<ByteBuffer>] = [:]
    private var receiving: [Route: Deque<UInt64>] = [:]
    private var queues = QueueCounters()

    init(worldSize: Int) {
        entered = Array(repeating: [], count: worldSize)
        ends = Array(repeating: nil, count: worldSize)
    }

    mutating func enter(_ collective: Collective, rank: Int, request: UInt64, payload: ByteBuffer) -> [Answer] {
        if let failure { return [Answer(rank: rank, request: request, result: .failure(failure))] }
        entered[rank].append(Entry(collective: collective, request: request, payload: payload))
        return settle()
    }

    mutating func send(_ payload: ByteBuffer, from sender: Int, to receiver: Int, request: UInt64) -> [Answer] {
        if let failure { return [Answer(rank: sender, request: request, result: .failure(failure))] }
        if let end = ends[receiver] {
            return fail(.rankFailed(receiver, "rank \(receiver) \(end) while rank \(sender) sent to it"))
                + [Answer(rank: sender, request: request, result: .failure(failure ?? .connection(end)))]
        }
        sent[Route(sender: sender, receiver: receiver), default: []].append(payload)
        return [Answer(rank: sender, request: request, result: .success([]))] + deliver(from: sender, to: receiver)
    }

    mutating func receive(from sender: Int, to receiver: Int, request: UInt64) -> [Answer] {
        if let failure { return [Answer(rank: receiver, request: request, result: .failure(failure))] }
        receiving[Route(sender: sender, receiver: receiver), default: []].append(request)
        return deliver(from: sender, to: receiver) + settle()
    }

    /// Answers with the position in 8 bytes, or with nothing at the end of the queue.
    mutating func next(of queue: Int, count: Int, rank: Int, request: UInt64) -> [Answer] {
        if let failure { return [Answer(rank: rank, request: request, result: .failure(failure))] }
        do {
            let position = try queues.next(of: queue, count: count, rank: rank)
            let parts = position.map { [ByteBuffer(integer: Int64($0))] } ?? []
            return [Answer(rank: rank, request: request, result: .success(parts))]
        } catch {
            return fail(error) + [Answer(rank: rank, request: request, result: .failure(error))]
        }
    }

    /// The rank says that it cannot go on.
    mutating func abort(rank: Int, in name: String, reason: String) -> [Answer] {
        guard failure == nil else { return [] }
        let message = "rank \(rank) failed in \(name)\(waiting(except: rank)): \(reason)"
        return fail(DistributedError(code: .threw, message: message, rank: rank))
    }

    /// The rank has made two calls at once, of which the others may make either first: nobody gets a result. The group
    /// goes on.
    mutating func doubt(rank: Int, _ error: DistributedError) { doubts[rank] = doubts[rank] ?? error }

    /// The task that made the call for the rank was cancelled.
    mutating func cancel(rank: Int, in name: String) -> [Answer] {
        guard failure == nil else { return [] }
        let message = "rank \(rank) was cancelled in \(name)\(waiting(except: rank))"
        return fail(DistributedError(code: .cancelled, message: message, rank: rank))
    }

    /// The rank has waited as long as it may. Breaks the group if it still waits.
    mutating func expire(rank: Int, request: UInt64, after limit: String) -> [Answer] {
        guard failure == nil, let entry = entered[rank].first(where: { $0.request == request }) else { return [] }
        let missing = entered.indices.filter { entered[$0].isEmpty }
        let message =
            "\(Self.list(missing)) did not come to \(entry.collective) within \(limit)"
            + waiting(except: missing.first ?? rank)
        return fail(
            DistributedError(code: .timedOut, message: message, rank: missing.count == 1 ? missing.first : nil))
    }

    /// The rank has ended, `description` says how. Ending well breaks the group only if someone needs it (again).
    mutating func end(rank: Int, description: String, isFailure: Bool) -> [Answer] {
        guard ends[rank] == nil, failure == nil else { return [] }
        ends[rank] = description
        if isFailure { return fail(.rankFailed(rank, "rank \(rank) \(description)" + waiting(except: rank))) }
        return settle()
    }

    /// Answers every collective that all have entered; breaks the group if one can never be.
    private mutating func settle() -> [Answer] {
        var answers: [Answer] = []
        while failure == nil {
            let heads = entered.map(\.first)
            guard let first = heads.firstIndex(where: { $0 != nil }), let head = heads[first] else { break }
            for (rank, other) in heads.enumerated() {
                if let other, other.collective != head.collective {
                    return answers + fail(.mismatch(Self.disagreement(heads.map { $0?.collective }, at: (first, rank))))
                }
            }
            guard heads.allSatisfy({ $0 != nil }) else { break }
            answers += complete(heads.compactMap { $0 })
        }
        guard failure == nil else { return answers }
        for (rank, end) in ends.enumerated() where end != nil && entered[rank].isEmpty {
            let isNeeded =
                entered.contains { !$0.isEmpty } || receiving.contains { $0.key.sender == rank && !$0.value.isEmpty }
            guard isNeeded, let end else { continue }
            return answers + fail(.rankFailed(rank, "rank \(rank) \(end)" + waiting(except: rank)))
        }
        return answers
    }

    private mutating func complete(_ entries: [Entry]) -> [Answer] {
        for rank in entered.indices { entered[rank].removeFirst() }
        guard let collective = entries.first?.collective else { return [] }
        if let rank = doubts.keys.min(), let doubt = doubts[rank] {
            doubts = [:]
            return entries.enumerated().map { Answer(rank: $0, request: $1.request, result: .failure(doubt)) }
        }
        let payloads = entries.map(\.payload)
        return entries.enumerated().map { rank, entry in
            let parts: [ByteBuffer]
            switch collective.pattern {
            case .barrier: parts = []
            case .broadcast: parts = [payloads[collective.root]]
            case .allGather: parts = payloads
            case .gather: parts = rank == collective.root ? payloads : []
            }
            return Answer(rank: rank, request: entry.request, result: .success(parts))
        }
    }

    private mutating func deliver(from sender: Int, to receiver: Int) -> [Answer] {
        let route = Route(sender: sender, receiver: receiver)
        var answers: [Answer] = []
        while let request = receiving[route]?.first, let message = sent[route]?.popFirst() {
            receiving[route]?.removeFirst()
            answers.append(Answer(rank: receiver, request: request, result: .success([message])))
        }
        return answers
    }

    private mutating func fail(_ error: DistributedError) -> [Answer] {
        failure = error
        var answers: [Answer] = []
        for (rank, entries) in entered.enumerated() {
            answers += entries.map { Answer(rank: rank, request: $0.request, result: .failure(error)) }
            entered[rank] = []
        }
        for (route, requests) in receiving {
            answers += requests.map { Answer(rank: route.receiver, request: $0, result: .failure(error)) }
        }
        receiving = [:]
        sent = [:]
        return answers
    }
}

extension Rendezvous {
    /// " while ranks 0, 1, 3 waited in barrier", or nothing if nobody waits.
    private func waiting(except rank: Int) -> String {
        let waiting = entered.indices.filter { $0 != rank && !entered[$0].isEmpty }
        if let first = waiting.first, let collective = entered[first].first?.collective {
            return " while \(Self.list(waiting)) waited in \(collective)"
        }
        let receivers = Set(receiving.filter { $0.key.sender == rank && !$0.value.isEmpty }.map(\.key.receiver))
            .sorted()
        return receivers.isEmpty ? "" : " while \(Self.list(receivers)) waited for a message from it"
    }

    private static func disagreement(_ collectives: [Collective?], at pair: (Int, Int)) -> String {
        let groups = [pair.0, pair.1].map { rank in
            (collectives[rank], collectives.indices.filter { collectives[$0] == collectives[rank] })
        }
        return "the ranks disagree: "
            + groups.map { collective, ranks in
                "\(list(ranks)) entered \(collective.map(\.description) ?? "nothing")"
            }.joined(separator: ", ")
    }

    static func list(_ ranks: [Int]) -> String {
        (ranks.count == 1 ? "rank " : "ranks ") + ranks.map(String.init).joined(separator: ", ")
    }
}
