package import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The devices of this machine: `cpu` with all cores that the process may use, or `cpu:0`, `cpu:1`, ... with a part of them
/// each.
package struct LocalDevices: Sendable {
    /// Those of `cpu:0`, `cpu:1`, ...
    package let parts: [CoreSet]

    /// The environment variable that says how many parts there are.
    package static let environmentVariable = "APUS_CPU_DEVICES"

    /// - Parameter count: how many parts the cores are divided into; by default what the environment says, else one for each
    ///   NUMA node.
    /// - Throws: `ComputeError` (`.unknownDevice`) unless each part has a core.
    package init(count: Int? = nil) throws(ComputeError) {
        let environment = getenv(Self.environmentVariable).map { String(cString: $0) }
        guard let text = count.map(String.init) ?? environment else {
            parts = CoreSet.numaNodes
            return
        }
        let cores = CoreSet.available
        guard let number = Int(text), (1...cores.count).contains(number) else {
            let source = count == nil ? "\(Self.environmentVariable)=\(text): " : ""
            let name = cores.count == 1 ? "the only core" : "\(cores.count) cores"
            throw .unknownDevice("\(source)\(name) cannot be divided into '\(text)' devices")
        }
        parts = cores.divided(into: number)
    }

    /// `cpu:0` and those that follow it.
    package var ids: [DeviceID] { parts.indices.map { DeviceID(kind: "cpu", index: $0) } }

    /// What a process uses unless it is told otherwise: all cores, or with several parts that of its number among the
    /// processes of the machine.
    package func standard(localRank: Int) -> DeviceID { parts.count == 1 ? .cpu : ids[localRank % parts.count] }

    /// The cores of a device. Throws `ComputeError` (`.unknownDevice`) naming those that there are.
    package func cores(of device: DeviceID) throws(ComputeError) -> CoreSet {
        if device == .cpu { return CoreSet(parts.flatMap(\.cores)) }
        guard device.kind == "cpu", let index = device.index, parts.indices.contains(index) else {
            let names = parts.count == 1 ? "cpu and cpu:0" : "cpu and cpu:0 to cpu:\(parts.count - 1)"
            throw .unknownDevice(
                "device \(device) does not exist; there \(parts.count == 1 && device.kind != "cpu" ? "is" : "are") \(names)"
            )
        }
        return parts[index]
    }
}
