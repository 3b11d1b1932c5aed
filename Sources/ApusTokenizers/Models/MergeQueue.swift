/// A min-heap of 64-bit keys with four children a node.
struct MergeQueue: Sendable {
    private var keys: [UInt64] = []

    mutating func removeAll() { keys.removeAll(keepingCapacity: true) }

    /// Adds a key without restoring the order; `heapify` must follow.
    mutating func appendUnordered(_ key: UInt64) { keys.append(key) }

    mutating func heapify() {
        guard keys.count > 1 else { return }
        for index in stride(from: (keys.count - 2) / 4, through: 0, by: -1) { siftDown(index) }
    }

    mutating func push(_ key: UInt64) {
        var index = keys.count
        keys.append(key)
        while index > 0 {
            let parent = (index - 1) / 4
            guard keys[parent] > key else { break }
            keys[index] = keys[parent]
            index = parent
        }
        keys[index] = key
    }

    mutating func pop() -> UInt64? {
        guard let last = keys.popLast() else { return nil }
        guard let first = keys.first else { return last }
        keys[0] = last
        siftDown(0)
        return first
    }

    private mutating func siftDown(_ start: Int) {
        keys.withUnsafeMutableBufferPointer { keys in
            let key = keys[start]
            var index = start
            while true {
                let first = index * 4 + 1
                guard first < keys.count else { break }
                var child = first
                for other in first + 1..<Swift.max(first + 1, Swift.min(first + 4, keys.count))
                where keys[other] < keys[child] {
                    child = other
                }
                guard keys[child] < key else { break }
                keys[index] = keys[child]
                index = child
            }
            keys[index] = key
        }
    }
}
