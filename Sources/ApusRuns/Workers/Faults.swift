import ApusDistributed

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a worker does wrong on purpose, for tests: the variable `APUS_FAULTS` holds faults between commas.
///
/// `die@17` ends the worker by a signal when it is to run prompt 17, `hang@17` has it compute nothing from then on, `fail@17`
/// fails its device, `exhaust@17` has it take memory until there is none. `slow=4` makes every step take four times as long.
/// `2:` before a fault keeps it to rank 2, `once-` to the first attempt at the prompt.
package struct Faults: Sendable, Equatable {
    enum Kind: String, Sendable {
        case die, hang, fail, exhaust
    }

    struct Fault: Sendable, Equatable {
        let kind: Kind
        let index: Int
        let isOnce: Bool
    }

    static let variable = "APUS_FAULTS"

    var faults: [Fault] = []
    var slowness = 1.0

    /// Those of a rank. Throws `RunError` for a value that cannot be read.
    init(_ text: String?, rank: Int) throws(RunError) {
        for word in (text ?? "").split(separator: ",") {
            let parts = word.split(separator: ":", maxSplits: 1)
            if parts.count == 2, Int(parts[0]) != rank { continue }
            var fault = parts[parts.count - 1]
            if fault.hasPrefix("slow="), let factor = Double(fault.dropFirst(5)), factor >= 1 {
                slowness = factor
                continue
            }
            let isOnce = fault.hasPrefix("once-")
            if isOnce { fault = fault.dropFirst(5) }
            let names = fault.split(separator: "@")
            guard names.count == 2, let kind = Kind(rawValue: String(names[0])), let index = Int(names[1]) else {
                throw RunError("\(Self.variable): \(word) is no fault")
            }
            faults.append(Fault(kind: kind, index: index, isOnce: isOnce))
        }
    }

    /// The fault that is due with this prompt. `isFirst` tells whether nobody has tried it before.
    func fault(at index: Int, isFirst: Bool) -> Kind? {
        faults.first { $0.index == index && (isFirst || !$0.isOnce) }?.kind
    }

    static var ofEnvironment: String? { getenv(variable).map { String(cString: $0) } }

    package static func die() { kill(getpid(), SIGKILL) }

    /// Lets the system refuse all memory from now on, and needs some.
    static func exhaustMemory() -> Int {
        var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
        #if canImport(Darwin)
            setrlimit(RLIMIT_AS, &limit)
        #else
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        #endif
        return [UInt8](repeating: 1, count: 256 << 20).count
    }
}
