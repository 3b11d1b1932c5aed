/// Tokens by their bytes and by their ids.
///
/// Bytes, not strings: `é` in one scalar and in two are two tokens. All tokens share one store, so that a vocabulary of
/// any size is a handful of allocations, and ids may have gaps of any width without costing memory.
struct Vocabulary: Sendable {
    private var store: [UInt8] = []
    /// Where each token's bytes end in the store; token `n` begins where token `n - 1` ends.
    private var ends: [Int] = []
    private var ids: [UInt32] = []
    /// Open addressing by the hash of the bytes; 0 is free, otherwise 1 + the token's number.
    private var table: [UInt32]
    /// 1 + the token's number for ids small enough to be an index.
    private var dense: [UInt32] = []
    private var sparse: [UInt32: Int] = [:]
    private let denseLimit: Int

    /// Tokens with different bytes.
    private(set) var count = 0

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        table = [UInt32](repeating: 0, count: size)
        ids.reserveCapacity(capacity)
        ends.reserveCapacity(capacity)
        store.reserveCapacity(capacity * 8)
        denseLimit = capacity * 4 + 4096
    }

    /// Of tokens with the same bytes, the last counts; of tokens with the same id, the first.
    mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, id: UInt32) {
        let slot = slot(of: bytes)
        if table[slot] != 0 {
            let number = Int(table[slot] - 1)
            ids[number] = id
            index(id, number)
            return
        }
        // The table was made for a given capacity; past it, tokens are refused rather than looked for in vain.
        guard count * 2 < table.count else { return }
        store.append(contentsOf: bytes)
        ends.append(store.count)
        ids.append(id)
        count += 1
        table[slot] = UInt32(count)
        index(id, count - 1)
    }

    private mutating func index(_ id: UInt32, _ number: Int) {
        guard Int(id) < denseLimit else {
            if sparse[id] == nil { sparse[id] = number }
            return
        }
        while dense.count <= Int(id) { dense.append(0) }
        if dense[Int(id)] == 0 { dense[Int(id)] = UInt32(number + 1) }
    }

    private func slot(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.hash(bytes)) & mask
        while table[slot] != 0, !isToken(Int(table[slot] - 1), bytes) { slot = (slot + 1) & mask }
        return slot
    }

    private func range(of number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

    private func isToken(_ number: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let range = range(of: number)
        guard range.count == bytes.count else { return false }
        return store.withUnsafeBufferPointer { store in
            for index in 0..<bytes.count where store[range.lowerBound + index] != bytes[index] { return false }
            return true
        }
    }

    func id(for bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
        let number = table[slot(of: bytes)]
        return number == 0 ? nil : ids[Int(number - 1)]
    }

    func id(for bytes: [UInt8]) -> UInt32? { bytes.withUnsafeBufferPointer { id(for: $0) } }

    func bytes(for id: UInt32) -> ArraySlice<UInt8>? {
        var number: Int?
        if Int(id) < dense.count {
            number = dense[Int(id)] == 0 ? nil : Int(dense[Int(id)] - 1)
        } else {
            number = sparse[id]
        }
        return number.map { store[range(of: $0)] }
    }

    /// Calls a closure with every token and its id.
    func withEachToken(_ body: (UnsafeBufferPointer<UInt8>, UInt32) -> Void) {
        store.withUnsafeBufferPointer { store in
            for number in 0..<count { body(UnsafeBufferPointer(rebasing: store[range(of: number)]), ids[number]) }
        }
    }
}
