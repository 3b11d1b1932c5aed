public import ApusCompute

extension Accelerator {
    /// Everyone's rows, on every process, in the order of the processes. A single number counts as one row.
    ///
    /// Throws `DistributedError` (`.mismatch`) naming the rank whose tensor has another type or other rows.
    public func gather(_ tensor: HostTensor) async throws -> HostTensor {
        let name = "gather"
        let own =
            tensor.shape.rank > 0 ? tensor : try HostTensor(shape: Shape([1]), dtype: tensor.dtype, bytes: tensor.bytes)
        return try await collective(name) {
            try await communicator.admit(TensorMessage.byteCount(of: own), in: name)
            let message = try await run(name) { try TensorMessage.encode(own) }
            let tensors = try await communicator.allGather(message, name: name).enumerated().map { rank, message in
                try TensorMessage.decode(message) ?? Self.unreadable(name, rank)
            }
            try TensorAgreement(name: name, freeDimension: 0).check(tensors.map { TensorMessage.Header($0) })
            let rows = tensors.reduce(0) { $0 + ($1.shape.dimensions.first ?? 0) }
            return try HostTensor(
                shape: Shape([rows] + own.shape.dimensions.dropFirst()), dtype: own.dtype,
                bytes: tensors.flatMap(\.bytes))
        }
    }

    /// Everyone's rows, one for each item that was split, in the order of the items; without those of fillers.
    /// Throws `DistributedError` (`.mismatch`) naming a rank that has not as many rows as items.
    public func gather<Items>(_ tensor: HostTensor, of share: Share<Items>) async throws -> HostTensor {
        try await gather(
            try await run("gather") {
                guard tensor.shape.dimensions.first == share.itemCount else {
                    throw DistributedError.mismatch(
                        "a tensor of shape \(tensor.shape) has not one row for each of \(share.itemCount) items")
                }
                return try tensor.rows(0..<share.range.count)
            })
    }

    /// The tensor that process `source` passed, on every process. The others pass one of the same shape and type, or none.
    public func broadcast(_ tensor: HostTensor?, from source: Int = 0) async throws -> HostTensor {
        let name = "broadcast"
        try communicator.check(source)
        return try await collective(name) {
            if let tensor { try await communicator.admit(TensorMessage.byteCount(of: tensor), in: name) }
            let headers = try await self.headers(of: tensor, name)
            guard headers[source] != nil else {
                throw DistributedError.mismatch("broadcast: rank \(source), the source, passed no tensor", rank: source)
            }
            try TensorAgreement(name: name).check(against: source, headers)
            let message = try processIndex == source ? tensor.map { try TensorMessage.encode($0) } ?? [] : []
            let answer = try await communicator.broadcast(message, from: source, name: name)
            return try TensorMessage.decode(answer) ?? Self.unreadable(name, source)
        }
    }

    /// The tensors of all processes, element by element combined into one, on every process.
    ///
    /// They are combined in the order of the processes, so the result does not depend on who was first. Sums of integers
    /// wrap around; the mean is of floating-point tensors only; half precisions are summed as float32.
    public func reduce(_ tensor: HostTensor, _ reduction: Reduction = .sum) async throws -> HostTensor {
        let name = "reduce"
        return try await collective(name) {
            try await communicator.admit(tensor.bytes.count, in: name)
            let headers = try await self.headers(of: tensor, name).compactMap(\.self)
            try TensorAgreement(name: name).check(headers)
            if reduction == .mean, !tensor.dtype.isFloatingPoint {
                throw DistributedError.invalidArgument("reduce: there is no mean of \(tensor.dtype)")
            }
            let parts = try await communicator.gather(tensor.bytes, to: 0, name: name)
            let result = try await run(name) { isMainProcess ? try reduction.combine(parts, tensor.dtype) : [] }
            return try HostTensor(
                shape: tensor.shape, dtype: tensor.dtype,
                bytes: try await communicator.broadcast(result, from: 0, name: name))
        }
    }

    /// What every rank's tensor looks like; `nil` where a rank has none.
    func headers(of tensor: HostTensor?, _ name: String) async throws -> [TensorMessage.Header?] {
        let message = try await run(name) { try tensor.map { try TensorMessage.encode($0, headerOnly: true) } ?? [] }
        return try await communicator.allGather(message, name: name).enumerated().map { rank, message in
            if message.isEmpty { return nil }
            return try TensorMessage.decodeHeader(message) ?? Self.unreadable(name, rank)
        }
    }

    private static func unreadable<Value>(_ name: String, _ rank: Int) throws(DistributedError) -> Value {
        throw .mismatch("\(name): rank \(rank) sent something that is no tensor", rank: rank)
    }
}
