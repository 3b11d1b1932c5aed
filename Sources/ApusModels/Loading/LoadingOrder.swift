import ApusCompute
import Dispatch
import Synchronization

/// In which order the parts of a model are loaded.
enum LoadingOrder {
    /// Loads so many parts: those of one device one after the other, in their order, and all devices at once, since each
    /// prepares weights with its own threads. Blocks until all are there. Throws the error of the first device that has one.
    static func load<Part: Sendable>(
        _ count: Int, of devices: (Int) -> DeviceID, _ body: @Sendable (Int) throws -> Part
    ) throws -> [Part] {
        var groups: [DeviceID: [Int]] = [:]
        var order: [DeviceID] = []
        for index in 0..<count {
            let device = devices(index)
            if groups[device] == nil { order.append(device) }
            groups[device, default: []].append(index)
        }
        guard order.count > 1 else { return try (0..<count).map(body) }
        let lists = order.map { groups[$0] ?? [] }
        let results = Mutex<[Result<[Part], any Error>?]>(lists.map { _ in nil })
        DispatchQueue.concurrentPerform(iterations: lists.count) { group in
            let result = Result { try lists[group].map(body) }
            results.withLock { $0[group] = result }
        }
        var parts = [Part?](repeating: nil, count: count)
        for (list, result) in zip(lists, results.withLock { $0 }) {
            for (index, part) in zip(list, try result?.get() ?? []) { parts[index] = part }
        }
        return parts.compactMap(\.self)
    }
}
