/// Says which device each part of a model goes to: by a rule, or by the names of modules.
///
///     let map: DeviceMap = ["model.embed_tokens": "cpu:0", "model.layers": "cpu:1", "model.norm": 1, "lm_head": "disk"]
///
/// Names are those of transformers' modules; the longest that fits a module decides, and `""` fits all. An integer means
/// the device of that number. What is on `disk` is read from the checkpoint for every use.
public struct DeviceMap: Sendable, Hashable {
    public enum Rule: String, Sendable, Hashable, CaseIterable {
        /// As `balanced` where budgets are given; otherwise so that all devices take equally long.
        case auto
        /// The largest share of a budget that a device needs is as small as it can be.
        case balanced
        /// The first device gets as little as the others allow.
        case balancedLow0 = "balanced_low_0"
        /// Each device is filled before the next.
        case sequential
    }

    package enum Content: Sendable, Hashable {
        case rule(Rule)
        case entries([Entry])
    }

    package struct Entry: Sendable, Hashable {
        package var module: String
        package var target: Target

        package init(module: String, target: Target) {
            self.module = module
            self.target = target
        }
    }

    package enum Target: Sendable, Hashable {
        /// As it was written.
        case name(String)
        case index(Int)
    }

    package let content: Content

    package init(_ content: Content) { self.content = content }

    public static let auto = DeviceMap(.rule(.auto))
    public static let balanced = DeviceMap(.rule(.balanced))
    public static let balancedLow0 = DeviceMap(.rule(.balancedLow0))
    public static let sequential = DeviceMap(.rule(.sequential))

    /// All of a model on one device.
    public static func all(on device: DeviceID) -> DeviceMap { ["": device] }
}

/// What stands for a device in a `DeviceMap`: its name, its number, or a `DeviceID`.
public protocol DeviceMapTarget: Sendable {
    /// The name, or the number in decimal digits.
    var deviceName: String { get }
}

extension String: DeviceMapTarget { public var deviceName: String { self } }
extension Int: DeviceMapTarget { public var deviceName: String { String(self) } }
extension DeviceID: DeviceMapTarget { public var deviceName: String { description } }

extension DeviceMap: ExpressibleByDictionaryLiteral {
    /// Names and numbers are looked at when the map is used.
    public init(dictionaryLiteral elements: (String, any DeviceMapTarget)...) {
        self.init(.entries(elements.map { Entry(module: $0, target: Target($1.deviceName)) }))
    }
}

extension DeviceMap.Target {
    package init(_ text: String) { self = Int(text).map { .index($0) } ?? .name(text) }
}
