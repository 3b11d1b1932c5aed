/// Items that the processes take one at a time, each whenever it is ready for another: none is idle while items are left.
///
/// Every item goes to one process. Loops over one queue, in one task or in several at once, share what the process gets:
/// each goes on where the others are. Taking an item waits for nobody, and throws the `DistributedError` of a group that
/// has been broken, by a process that died while it held an item for instance. A task that is cancelled gets
/// `CancellationError` when it asks for the next item; what it has taken stays its own.
public struct SharedQueue<Element> {
    private let items: [Element]
    let cursor: QueueCursor

    init(_ items: [Element], cursor: QueueCursor) {
        self.items = items
        self.cursor = cursor
    }

    /// How many items there are for all processes together.
    public var itemCount: Int { items.count }

    /// The indices of the items that this process has taken so far, in the order in which it did.
    ///
    /// Several tasks that share a queue keep their results by index, and bring them into this order for
    /// `gatherObject(_:of:)`.
    public var taken: [Int] { cursor.taken }

    /// The same queue, each item with its index among all, after which seeds and files can be named.
    public var indexed: Indexed { Indexed(queue: self) }
}

extension SharedQueue: AsyncSequence {
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let queue: SharedQueue

        /// Takes an item for this process; `nil` when all are taken.
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws -> Element? {
            try await queue.cursor.take().map { queue.items[$0] }
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(queue: self) }
}

extension SharedQueue {
    /// A queue's items with their indices.
    public struct Indexed: AsyncSequence {
        public typealias Element = (index: Int, element: SharedQueue.Element)

        fileprivate let queue: SharedQueue

        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let queue: SharedQueue

            /// Takes an item for this process; `nil` when all are taken.
            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws -> Indexed.Element? {
                try await queue.cursor.take().map { ($0, queue.items[$0]) }
            }
        }

        public func makeAsyncIterator() -> Iterator { Iterator(queue: queue) }
    }
}

extension SharedQueue: Sendable where Element: Sendable {}
extension SharedQueue.Indexed: Sendable where Element: Sendable {}
