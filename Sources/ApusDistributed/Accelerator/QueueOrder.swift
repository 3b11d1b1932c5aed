/// In which order a queue hands its items out. The same items give the same order on every rank.
enum QueueOrder {
    /// The places of the heaviest items first; equally heavy ones in the order in which they are.
    static func heaviestFirst(_ weights: [Int]) -> [Int] {
        weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
    }
}
