import DequeModule
import HeapModule

/// Jobs that nobody holds: given out by weight, or by age.
///
/// Both orders know every job, and what was taken by one is passed over in the other when it is met there.
struct WaitingJobs: Sendable {
    private struct Entry: Sendable, Comparable {
        let weight: Int
        let index: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.weight != right.weight ? left.weight < right.weight : left.index > right.index
        }
    }

    private var heaviest = Heap<Entry>()
    private var oldest = Deque<Int>()
    private var waiting: Set<Int> = []

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    /// Jobs come in the order of their indices.
    mutating func append(_ index: Int, weight: Int) {
        forget()
        waiting.insert(index)
        heaviest.insert(Entry(weight: weight, index: index))
        oldest.append(index)
    }

    mutating func takeHeaviest() -> Int? {
        while let entry = heaviest.popMax() {
            if waiting.remove(entry.index) != nil { return entry.index }
        }
        return nil
    }

    mutating func takeOldest() -> Int? {
        while let index = oldest.popFirst() {
            if waiting.remove(index) != nil { return index }
        }
        return nil
    }

    /// Drops what only one of the orders still knows once that is most of it: whatever the length of the input, no more is kept
    /// than waits.
    private mutating func forget() {
        let most = 2 * waiting.count + 64
        if oldest.count > most { oldest.removeAll { !waiting.contains($0) } }
        if heaviest.count > most { heaviest = Heap(heaviest.unordered.filter { waiting.contains($0.index) }) }
    }
}
