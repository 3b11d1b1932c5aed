package import ApusCompute

/// Which device each part of a model is on.
///
/// The parts are numbered as a token passes them: the table, the layers, then the last norm with the head.
package struct Placement: Sendable, Equatable {
    /// The device of each part: one more than layers before them, one more after.
    package var devices: [DeviceID]
    /// Parts whose weights are read from the checkpoint for every use.
    package var streamed: Set<Int> = []

    package init(devices: [DeviceID], streamed: Set<Int> = []) {
        self.devices = devices
        self.streamed = streamed
    }

    /// All parts of a model with so many layers on one device.
    package init(layers: Int, on device: DeviceID) {
        self.init(devices: [DeviceID](repeating: device, count: layers + 2))
    }

    package var layers: Int { devices.count - 2 }
    package var table: DeviceID { devices[0] }
    package var head: DeviceID { devices[devices.count - 1] }
    package func device(ofLayer index: Int) -> DeviceID { devices[index + 1] }

    /// The devices that have a part, in the order in which a token comes to them.
    package var distinctDevices: [DeviceID] {
        devices.reduce(into: []) { seen, device in if !seen.contains(device) { seen.append(device) } }
    }

    /// Sequences of steps that do not wait for each other, so that each device of a chain has something to do. A step that
    /// reads its weights from a disk is best a large one.
    package func lanes(answersLater: Bool) -> Int {
        answersLater && streamed.isEmpty ? distinctDevices.count : 1
    }

    /// Steps of a lane that may be on their way at a time.
    package static func depth(answersLater: Bool) -> Int { answersLater ? 2 : 1 }

    /// Neighbouring parts on one device.
    package struct Stage: Sendable, Equatable {
        package var device: DeviceID
        package var parts: Range<Int>
    }

    package var stages: [Stage] {
        devices.indices.reduce(into: []) { stages, part in
            if let last = stages.last, last.device == devices[part] {
                stages[stages.count - 1].parts = last.parts.lowerBound..<part + 1
            } else {
                stages.append(Stage(device: devices[part], parts: part..<part + 1))
            }
        }
    }
}
