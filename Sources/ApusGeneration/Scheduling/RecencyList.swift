/// Numbers in the order in which they were last put in. Every operation takes constant time.
struct RecencyList: Sendable {
    private struct Link: Sendable {
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private var links: [Link] = []
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    private(set) var count = 0

    /// Puts in a number that is not in the list.
    mutating func append(_ number: Int32) {
        while links.count <= Int(number) { links.append(Link()) }
        links[Int(number)] = Link(previous: newest)
        if newest >= 0 { links[Int(newest)].next = number } else { oldest = number }
        newest = number
        count += 1
    }

    /// Takes out a number that is in the list.
    mutating func remove(_ number: Int32) {
        let link = links[Int(number)]
        if link.previous >= 0 { links[Int(link.previous)].next = link.next } else { oldest = link.next }
        if link.next >= 0 { links[Int(link.next)].previous = link.previous } else { newest = link.previous }
        count -= 1
    }

    mutating func popOldest() -> Int32? {
        guard oldest >= 0 else { return nil }
        let number = oldest
        remove(number)
        return number
    }
}
