/// The variables by which a launcher tells a process who it is.
package enum EnvironmentKey {
    static let rank = "RANK"
    static let worldSize = "WORLD_SIZE"
    static let localRank = "LOCAL_RANK"
    static let localWorldSize = "LOCAL_WORLD_SIZE"
    /// The socket of the launcher of a group of ranks.
    static let socket = "APUS_SOCKET"
    /// The socket of the coordinator of a pool of workers.
    static let coordinator = "APUS_COORDINATOR"
    static let token = "APUS_TOKEN"
    /// Swift's own, on what a crashing process prints.
    static let backtrace = "SWIFT_BACKTRACE"

    /// What a launcher has said about this process, its secret left out.
    package static var shown: [(key: String, value: String)] {
        [rank, worldSize, localRank, localWorldSize, socket, coordinator].compactMap { key in
            Platform.environmentVariable(key).map { (key, $0) }
        }
    }

    /// This process's environment with the variables of one rank; on one machine local and global ones agree.
    static func environment(
        rank: Int, of count: Int, token: String, socketKey: String, socket: String, adding extra: [String: String] = [:]
    ) -> [String: String] {
        var result = Platform.environment.merging(extra) { $1 }
        for key in [Self.socket, coordinator] { result[key] = nil }
        result[Self.rank] = String(rank)
        result[localRank] = String(rank)
        result[worldSize] = String(count)
        result[localWorldSize] = String(count)
        result[Self.token] = token
        result[socketKey] = socket
        // A crash would otherwise cost seconds and a hundred lines. Who wants them sets the variable.
        if result[backtrace] == nil { result[backtrace] = "enable=no" }
        return result
    }

    /// 256 bits from the system's random source.
    static func freshToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in String(generator.next() as UInt64, radix: 36) }.joined(separator: "-")
    }
}
