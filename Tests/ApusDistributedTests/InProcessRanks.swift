import ApusDistributed

/// Runs the body as every rank of a group of tasks and gives what each returned or threw, in rank order.
func withRanks<Output: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Accelerator) async throws -> Output
) async -> [Result<Output, any Error>] {
    await withRanks(InProcessCommunicator.group(of: count), body)
}

func withRanks<Output: Sendable>(
    _ communicators: [InProcessCommunicator], _ body: @escaping @Sendable (Accelerator) async throws -> Output
) async -> [Result<Output, any Error>] {
    await withTaskGroup(of: (Int, Result<Output, any Error>).self) { group in
        for communicator in communicators {
            group.addTask {
                do {
                    return (communicator.rank, .success(try await body(Accelerator(communicator: communicator))))
                } catch {
                    return (communicator.rank, .failure(error))
                }
            }
        }
        var results: [Int: Result<Output, any Error>] = [:]
        for await (rank, result) in group { results[rank] = result }
        return communicators.indices.compactMap { results[$0] }
    }
}

extension [Result<Void, any Error>] {
    var messages: [String?] { map(\.message) }
}

extension Result {
    /// What the error says, if it is one of ours.
    var message: String? {
        guard case .failure(let error) = self else { return nil }
        return (error as? DistributedError)?.message ?? "\(error)"
    }
}
