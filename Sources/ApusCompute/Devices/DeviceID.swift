/// Names a device as people write it: `cpu` (all cores), `cpu:1` (the second set of cores), later `cuda:0`.
public struct DeviceID: Sendable, Hashable, CustomStringConvertible {
    public let kind: String
    public let index: Int?

    public init(kind: String, index: Int? = nil) {
        self.kind = kind
        self.index = index
    }

    /// Throws `ComputeError` (`.unknownDevice`) if the text is not a name, or a name and a number.
    public init(parsing text: String) throws(ComputeError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let kind = parts.first, !kind.isEmpty, parts.count <= 2 else {
            throw .unknownDevice("'\(text)' names no device; write cpu or cpu:0")
        }
        if parts.count == 2 {
            guard let index = Int(parts[1]), index >= 0, String(index) == parts[1] else {
                throw .unknownDevice("'\(text)' names no device; write cpu or cpu:0")
            }
            self.init(kind: String(kind), index: index)
        } else {
            self.init(kind: String(kind))
        }
    }

    public static let cpu = DeviceID(kind: "cpu")
    /// Where weights stay that are read for every use. It computes nothing.
    public static let disk = DeviceID(kind: "disk")

    public var description: String { index.map { "\(kind):\($0)" } ?? kind }
}
