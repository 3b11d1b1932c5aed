/// Which of how many a process is.
package struct RankPlace: Sendable, Hashable {
    var rank = 0
    var worldSize = 1
    var localRank = 0
    var localWorldSize = 1

    /// Reads `RANK`, `WORLD_SIZE`, `LOCAL_RANK` and `LOCAL_WORLD_SIZE`; without them the process is alone.
    /// Throws `DistributedError` (`.environment`) if one is no number or they contradict each other.
    init(environment: [String: String]) throws(DistributedError) {
        worldSize = try Self.number(EnvironmentKey.worldSize, in: environment) ?? 1
        rank = try Self.number(EnvironmentKey.rank, in: environment) ?? 0
        localWorldSize = try Self.number(EnvironmentKey.localWorldSize, in: environment) ?? worldSize
        localRank = try Self.number(EnvironmentKey.localRank, in: environment) ?? rank
        guard rank < worldSize, localRank < localWorldSize, localWorldSize <= worldSize else {
            throw .environment(
                "RANK \(rank) of WORLD_SIZE \(worldSize) and LOCAL_RANK \(localRank) of LOCAL_WORLD_SIZE "
                    + "\(localWorldSize) do not fit together")
        }
    }

    /// How many processes the launcher started on this machine; 1 where the environment does not say.
    package static var localProcessCount: Int {
        let text = Platform.environmentVariable(EnvironmentKey.localWorldSize)
        return max(text.flatMap { Int($0) } ?? 1, 1)
    }

    /// Which of those this process is; 0 where the environment does not say.
    package static var localProcessIndex: Int {
        let keys = [EnvironmentKey.localRank, EnvironmentKey.rank]
        return max(keys.compactMap { Platform.environmentVariable($0) }.first.flatMap { Int($0) } ?? 0, 0)
    }

    private static func number(_ key: String, in environment: [String: String]) throws(DistributedError) -> Int? {
        guard let text = environment[key] else { return nil }
        guard let number = Int(text), number >= 0, Int32(exactly: number) != nil else {
            throw .environment("\(key) is \"\(text)\", which is no count")
        }
        return number
    }
}
