package import ApusCompute
import CApusKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What this machine's memory and arithmetic allow at most, measured by some threads at once.
///
/// Each measurement blocks the caller for about the time given and takes all that the threads can get, so nothing else
/// should run meanwhile. Machines are shared and change from minute to minute: measure beside what is to be compared.
package final class MachineLimits {
    /// What products are made of, by the type of their weights.
    package enum Arithmetic: String, Sendable, Hashable, CaseIterable {
        case float32, bfloat16, int8

        /// float16 weights are widened to float32 before they are multiplied, those of 4 bits to 8.
        package init(_ format: WeightFormat) {
            switch format {
            case .bfloat16: self = .bfloat16
            case .int8, .int4, .grouped: self = .int8
            case .float16, .float32: self = .float32
            }
        }

        fileprivate var kind: apus_peak_kind {
            switch self {
            case .float32: APUS_PEAK_F32
            case .bfloat16: APUS_PEAK_BF16
            case .int8: APUS_PEAK_INT8
            }
        }
    }

    package struct Peak: Sendable, Hashable {
        /// The instruction that reached it, by its mnemonic.
        package let instruction: String
        /// Multiplications and additions a second.
        package let operationsPerSecond: Double
    }

    package var threads: Int { team.count }
    private let instructionSet: InstructionSet
    private let team: ThreadTeam

    package init(threads: Int, instructionSet: InstructionSet) {
        self.instructionSet = instructionSet
        team = ThreadTeam(count: threads)
    }

    deinit { team.stop() }

    /// Bytes a second that the threads read from memory together, the best of `passes` over a buffer that no cache
    /// holds. Throws `ComputeError` (`.outOfMemory`) if the machine has no room for the buffer.
    package func readBandwidth(passes: Int = 5) throws(ComputeError) -> Double {
        let chunks = threads * 16
        let chunkSize = Self.bufferSize / chunks / 4096 * 4096
        // Where the system has huge pages, the limit is what they allow.
        let region = try MappedRegion(byteCount: chunks * chunkSize, isDense: true)
        defer { withExtendedLifetime(region) {} }
        nonisolated(unsafe) let buffer = region.pointer
        // Pages that were never written all stand for one page of zeros, which a cache does hold.
        team.run(chunks: chunks) { chunk, _ in
            memset(buffer + chunk * chunkSize, Int32(truncatingIfNeeded: chunk + 1), chunkSize)
        }
        var best = 0.0
        for _ in 0..<max(passes, 1) {
            let time = ContinuousClock().measure {
                team.run(chunks: chunks) { chunk, _ in _ = apus_read(buffer + chunk * chunkSize, chunkSize) }
            }
            best = max(best, Double(chunks * chunkSize) / (time / .seconds(1)))
        }
        return best
    }

    /// Operations a second that the threads reach together, the best of `passes` of about 20 ms.
    package func peak(_ arithmetic: Arithmetic, passes: Int = 15) -> Peak {
        let loop = apus_peak_for(arithmetic.kind, apus_isa(UInt32(instructionSet.rawValue)))
        guard let run = loop.run else { return Peak(instruction: "none", operationsPerSecond: 0) }
        // Grown until a pass is long enough to time.
        var turns = 1024
        var best = 0.0
        var counted = 0
        while counted < max(passes, 1) {
            let time = ContinuousClock().measure {
                team.run(chunks: threads) { _, _ in _ = run(turns) }
            }
            let seconds = max(time / .seconds(1), 1e-9)
            if seconds < 0.01, turns < 1 << 40 {
                turns = Int(Double(turns) * min(max(0.02 / seconds, 2), 64))
                continue
            }
            best = max(best, loop.operations * Double(turns) * Double(threads) / seconds)
            counted += 1
        }
        return Peak(instruction: String(cString: loop.instruction), operationsPerSecond: best)
    }

    /// Bytes of the last cache, 0 where the system does not say.
    package static var cacheSize: Int {
        #if canImport(Glibc)
            return max(sysconf(Int32(_SC_LEVEL3_CACHE_SIZE)), sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)), 0)
        #else
            return 0
        #endif
    }

    /// Several times the last cache, within reason.
    private static var bufferSize: Int { min(max(cacheSize * 3, 256 << 20), 2 << 30) }
}
