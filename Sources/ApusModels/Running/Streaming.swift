import ApusCompute

/// What is read next, while something is computed: the weights of the two streamed parts that follow each on its device,
/// the first of the next step behind the last.
struct Streaming: Sendable {
    /// Of each part: what its device is to expect when it comes to it.
    private let next: [[any PreparedWeight]]

    /// Parts that are read while one is computed.
    private static let lead = 2

    init(_ model: DecoderModel) {
        var next = [[any PreparedWeight]](repeating: [], count: model.spec.layers + 2)
        for device in model.placement.distinctDevices {
            let parts = model.placement.devices.indices.filter { part in
                model.placement.devices[part] == device && !model.streamedWeights(part).isEmpty
            }
            for (index, part) in parts.enumerated() {
                next[part] = model.streamedWeights(parts[(index + Self.lead) % parts.count])
            }
            // The first step begins with what nobody has asked for.
            if let first = parts.first {
                next[first] = parts.prefix(Self.lead + 1).flatMap { model.streamedWeights($0) }
            }
        }
        self.next = next
    }

    subscript(part: Int) -> [any PreparedWeight] { next[part] }
}

extension Device {
    func expect(_ streaming: Streaming, _ part: Int) throws(ComputeError) {
        if !streaming[part].isEmpty { try expect(streaming[part]) }
    }
}
