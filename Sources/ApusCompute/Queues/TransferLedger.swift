import Synchronization

/// Copies from one device to another, all of them, and counts their bytes by cause.
package final class TransferLedger: Sendable {
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// Keys and values. They stay where they were computed, so this stays 0.
        case kv
        /// What a stage hands to the next.
        case hidden
        /// Chosen tokens, on their way back to the table.
        case choices
    }

    private let counts = Mutex<[Cause: Int]>([:])

    package init() {}

    /// Bytes that were copied so far.
    package subscript(cause: Cause) -> Int { counts.withLock { $0[cause] ?? 0 } }

    /// Copies a tensor once `sender` has computed it; `receiver` begins what is asked of it next after that. Nobody waits,
    /// but for the room: at the third copy of a passage, `sender` waits until the first has arrived.
    /// Throws `ComputeError` from the devices.
    package func copy(
        _ source: Tensor, from sender: any Device, to target: Tensor, on receiver: any Device, by passage: Passage,
        _ cause: Cause
    ) throws(ComputeError) {
        try receive(send(source, from: sender, by: passage), into: target, on: receiver, cause)
    }

    /// The first half of a copy. What is sent and never received counts for nothing.
    package func send(
        _ source: Tensor, from sender: any Device, by passage: Passage
    ) throws(ComputeError) -> Passage.Parcel {
        let room = passage.next()
        if let arrival = room.arrival { try sender.wait(for: arrival) }
        room.arrival = nil
        try sender.copyOut(source, to: room.block, at: 0)
        return Passage.Parcel(room: room, sent: try sender.record(), byteCount: source.byteCount)
    }

    /// The second half: `receiver` does nothing more until the parcel is there.
    package func receive(
        _ parcel: Passage.Parcel, into target: Tensor, on receiver: any Device, _ cause: Cause
    ) throws(ComputeError) {
        try receiver.wait(for: parcel.sent)
        try receiver.copyIn(parcel.room.block, byteCount: parcel.byteCount, to: target)
        parcel.room.arrival = try receiver.record()
        counts.withLock { $0[cause, default: 0] += parcel.byteCount }
    }
}

/// Room for tensors on their way between two devices: two at a time.
package final class Passage {
    final class Room {
        let block: HostBlock
        /// When the last copy out of it is done.
        var arrival: (any DeviceEvent)?

        init(_ block: HostBlock) { self.block = block }
    }

    /// A tensor on its way.
    package struct Parcel {
        let room: Room
        let sent: any DeviceEvent
        let byteCount: Int
    }

    private let rooms: [Room]
    private var turn = 0

    /// Throws `ComputeError` (`.outOfMemory`).
    package init(_ label: String, byteCount: Int, from sender: any Device) throws(ComputeError) {
        var rooms: [Room] = []
        for _ in 0..<2 { rooms.append(Room(try sender.makeHostBlock(label, byteCount: byteCount))) }
        self.rooms = rooms
    }

    func next() -> Room {
        defer { turn = (turn + 1) % rooms.count }
        return rooms[turn]
    }
}
