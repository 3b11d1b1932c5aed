#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Accelerator {
    /// Everyone's objects, on every process, in the order of the processes. Each may bring any number.
    public func gatherObject<Object: Codable & Sendable>(_ objects: [Object]) async throws -> [Object] {
        let messages = try await collective("gatherObject") {
            let message = try await encode(objects, "gatherObject")
            return try await communicator.allGather(message, name: "gatherObject")
        }
        return try messages.enumerated().flatMap { rank, message in
            try decode([Object].self, from: message, of: rank, "gatherObject")
        }
    }

    /// Everyone's results, one for each item that was split, in the order of the items; without what fillers caused.
    ///
    /// Throws `DistributedError` (`.mismatch`) if a process has not as many results as items, on that process; the others
    /// learn which it is.
    public func gatherObject<Object: Codable & Sendable, Items>(
        _ results: [Object], of share: Share<Items>
    ) async throws -> [Object] {
        try await gatherObject(try await run("gatherObject") { try share.withoutPadding(results) })
    }

    /// The object that process `source` passed, on every process.
    public func broadcastObject<Object: Codable & Sendable>(_ object: Object, from source: Int = 0) async throws
        -> Object
    {
        let answer = try await collective("broadcastObject") {
            let message = processIndex == source ? try await encode([object], "broadcastObject") : []
            return try await communicator.broadcast(message, from: source, name: "broadcastObject")
        }
        guard let result = try decode([Object].self, from: answer, of: source, "broadcastObject").first else {
            throw DistributedError.mismatch("broadcastObject: rank \(source) sent nothing", rank: source)
        }
        return result
    }

    func encode(_ objects: some Encodable, _ name: String) async throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try await run(name) { Array(try encoder.encode(objects)) }
    }

    func decode<Object: Decodable>(
        _ type: Object.Type, from message: [UInt8], of rank: Int, _ name: String, as description: String? = nil
    ) throws -> Object {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: Data(message))
        } catch {
            throw DistributedError.mismatch(
                "\(name): rank \(rank) sent something that is no \(description ?? "\(type)")", rank: rank)
        }
    }
}
