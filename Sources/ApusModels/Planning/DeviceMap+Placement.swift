import ApusCheckpoints
package import ApusCompute

extension DeviceMap {
    /// What a map of names says of every part of a model.
    ///
    /// - Parameters:
    ///   - devices: those that there are, in the order of their numbers.
    /// - Throws: `ModelError` (`.invalidDeviceMap`) naming the entry that fits nothing, names no device, or places a part of
    ///   a layer, or the module that no entry places.
    package static func placement(
        _ entries: [Entry], of spec: DecoderSpec, devices: [DeviceID]
    ) throws(ModelError) -> Placement {
        let names = ModuleNames(spec)
        var seen: Set<String> = []
        for entry in entries {
            guard seen.insert(entry.module).inserted else {
                throw .invalidDeviceMap("names '\(entry.module)' twice")
            }
            try names.check(entry.module)
            _ = try device(entry, devices)
        }
        var placed: [DeviceID] = []
        var streamed: Set<Int> = []
        for part in 0..<spec.layers + 2 {
            let name = names.name(of: part)
            guard
                let entry = entries.filter({ ModuleNames.isPrefix($0.module, of: name) }).max(by: {
                    $0.module.count < $1.module.count
                })
            else { throw .invalidDeviceMap("says nothing of '\(name)'") }
            if let device = try Self.device(entry, devices) {
                placed.append(device)
            } else {
                streamed.insert(part)
                // It runs where the part before it does, the first of all on the first device.
                guard let device = placed.last ?? devices.first else {
                    throw .invalidDeviceMap("has no device but the disk")
                }
                placed.append(device)
            }
        }
        try checkKinds(placed)
        if let first = spec.firstInseparableLayer, Set(placed[first + 1...spec.layers]).count > 1 {
            throw .invalidDeviceMap(
                "parts '\(names.name(of: first + 1))' from those that take up its keys and values; all layers from there on "
                    + "need one device")
        }
        return Placement(devices: placed, streamed: streamed)
    }

    /// The device of an entry; `nil` for the disk.
    private static func device(_ entry: Entry, _ devices: [DeviceID]) throws(ModelError) -> DeviceID? {
        let known = devices.map(\.description).joined(separator: ", ")
        switch entry.target {
        case .index(let index):
            guard devices.indices.contains(index) else {
                throw .invalidDeviceMap("puts '\(entry.module)' on device \(index); there are \(known)")
            }
            return devices[index]
        case .name(DeviceID.disk.kind): return nil
        case .name(let name):
            guard let device = devices.first(where: { $0.description == name }) else {
                throw .invalidDeviceMap("puts '\(entry.module)' on '\(name)'; there are \(known) and disk")
            }
            return device
        }
    }

    private static func checkKinds(_ devices: [DeviceID]) throws(ModelError) {
        let whole = devices.first { device in
            device.index == nil && devices.contains { $0.kind == device.kind && $0.index != nil }
        }
        if let whole {
            throw .invalidDeviceMap("names both \(whole) and a part of it, such as \(whole):0")
        }
    }
}

/// The modules of a model that can be placed.
struct ModuleNames {
    private let spec: DecoderSpec

    init(_ spec: DecoderSpec) { self.spec = spec }

    func name(of part: Int) -> String {
        switch part {
        case 0: spec.names.inBody(spec.names[.embedding])
        case spec.layers + 1: spec.names.head
        default: spec.names.inBody("\(spec.names.layers).\(part - 1)")
        }
    }

    /// The last norm is part of the head's product, so it is where the head is.
    private var norm: String { spec.names.inBody(spec.names[.finalNorm]) }
    /// Angles are computed where they are used.
    private var rotary: String { spec.names.inBody("rotary_emb") }

    static func isPrefix(_ module: String, of name: String) -> Bool {
        module.isEmpty || name == module || name.hasPrefix(module + ".")
    }

    /// Throws unless the module is a part, holds some, or is one of those that need no place of their own.
    func check(_ module: String) throws(ModelError) {
        let parts = (0..<spec.layers + 2).map(name)
        if parts.contains(where: { Self.isPrefix(module, of: $0) }) || module == norm || module == rotary { return }
        if let layer = parts[1...spec.layers].first(where: { module.hasPrefix($0 + ".") }) {
            throw .invalidDeviceMap("names '\(module)', but a layer is placed as a whole: '\(layer)'")
        }
        throw .invalidDeviceMap("names '\(module)', which is no module of the model")
    }

    /// A placement as a map of names.
    func map(_ placement: Placement) -> [(module: String, device: DeviceID)] {
        placement.devices.indices.flatMap { part in
            let device = placement.streamed.contains(part) ? DeviceID.disk : placement.devices[part]
            return part == spec.layers + 1 ? [(norm, device), (name(of: part), device)] : [(name(of: part), device)]
        }
    }
}
