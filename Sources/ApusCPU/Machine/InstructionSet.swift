package import ApusCompute
import CApusKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The instruction sets that kernels exist for, those of a kind of processor slowest first.
package enum InstructionSet: Int, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    case scalar, portable, avx2, avx2VNNI, avx512, avx512VNNI, avx512BF16, amxBF16, neonDot, neonBF16

    package static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rawValue < b.rawValue }

    /// The environment variable that forces one.
    package static let environmentVariable = "APUS_ISA"

    package var description: String {
        switch self {
        case .scalar: "scalar"
        case .portable: "portable"
        case .avx2: "avx2"
        case .avx2VNNI: "avx2-vnni"
        case .avx512: "avx512"
        case .avx512VNNI: "avx512-vnni"
        case .avx512BF16: "avx512-bf16"
        case .amxBF16: "amx-bf16"
        case .neonDot: "neon-dot"
        case .neonBF16: "neon-bf16"
        }
    }

    var kernels: UnsafePointer<apus_kernels>? { apus_kernels_for(apus_isa(UInt32(rawValue))) }

    /// Throws `ComputeError` (`.unsupported`) if this machine lacks the set.
    func requireKernels() throws(ComputeError) -> apus_kernels {
        guard let kernels else { throw .unsupported("this machine lacks the instruction set \(self)") }
        return kernels.pointee
    }

    package var isAvailable: Bool { kernels != nil }

    /// Those of this machine, slowest first.
    package static var available: [InstructionSet] { allCases.filter(\.isAvailable) }

    package static var best: InstructionSet { available.last ?? .scalar }

    /// What the environment names.
    package static var choice: String? { getenv(environmentVariable).map { String(cString: $0) } }

    /// Has this process, and those that it starts, use one.
    package static func choose(_ set: InstructionSet) { setenv(environmentVariable, set.description, 1) }

    /// The one that the environment names, or else the best of this machine.
    /// Throws `ComputeError` (`.unsupported`) when it names one that the machine lacks.
    package static func selected() throws(ComputeError) -> InstructionSet {
        guard let name = choice else { return best }
        guard let chosen = available.first(where: { $0.description == name }) else {
            let names = available.map(\.description).joined(separator: ", ")
            throw .unsupported("\(environmentVariable)=\(name) is none of this machine's instruction sets: \(names)")
        }
        return chosen
    }
}
