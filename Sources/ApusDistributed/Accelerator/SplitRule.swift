/// How `count` items are shared out over `ranks`: contiguous, in order, the first `count % ranks` get one more.
///
/// As `PartialState.split_between_processes` of Accelerate 1.15.
package struct SplitRule: Sendable, Hashable {
    let count: Int
    let ranks: Int

    package init(count: Int, ranks: Int) {
        self.count = count
        self.ranks = ranks
    }

    package func range(of rank: Int) -> Range<Int> {
        let (quotient, remainder) = count.quotientAndRemainder(dividingBy: ranks)
        let start = rank * quotient + min(rank, remainder)
        return start..<start + quotient + (rank < remainder ? 1 : 0)
    }

    /// How many fillers make the rank's share as long as the longest. There are none without items to repeat.
    func padding(of rank: Int) -> Int { range(of: 0).count - range(of: rank).count }
}
