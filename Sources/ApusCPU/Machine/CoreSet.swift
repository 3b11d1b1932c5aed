import ApusCompute
import CApusKernels

/// Some cores of the machine, by the system's numbers.
package struct CoreSet: Sendable, Hashable, CustomStringConvertible {
    package let cores: [Int]

    package init(_ cores: some Collection<Int>) { self.cores = Set(cores).sorted() }

    package var count: Int { cores.count }

    /// Reads a list such as `0-3,8`; what is no number is left out.
    package init(list: String) {
        self.init(
            list.split(separator: ",").flatMap { part -> [Int] in
                let ends = part.split(separator: "-").compactMap { Int($0.filter { !$0.isWhitespace }) }
                guard let first = ends.first, let last = ends.last, first >= 0, first <= last, last < 1 << 16 else {
                    return []
                }
                return Array(first...last)
            })
    }

    /// As the system writes it: `0-3,8`.
    package var description: String { cores.writtenRanges }

    /// Cores that this process may run on, no more of them than its control groups give it time for.
    package static var available: CoreSet {
        let status = SystemFile.contents("/proc/self/status")
        let name = "Cpus_allowed_list:"
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        let allowed = line.map { CoreSet(list: String($0.dropFirst(name.count))).cores } ?? []
        let count = ProcessorCount.available
        return CoreSet((allowed.isEmpty ? Array(0..<count) : allowed).prefix(count))
    }

    /// These cores in so many disjoint sets of neighbours, their sizes one apart at most. There must be as many cores.
    package func divided(into parts: Int) -> [CoreSet] {
        (0..<parts).map { CoreSet(cores[count * $0 / parts..<count * ($0 + 1) / parts]) }
    }
}

extension CoreSet {
    /// Keeps the calling thread to these cores. Where the system refuses, the thread runs anywhere: slower, not wrong.
    func pinCurrentThread() {
        let list = cores.map { Int32(clamping: $0) }
        _ = apus_pin_thread(list, list.count)
    }

    /// The available cores by the memory that they are nearest to, a set for each NUMA node; one where nothing tells nodes
    /// apart.
    package static var numaNodes: [CoreSet] {
        let available = CoreSet.available
        let directory = "/sys/devices/system/node"
        let nodes = CoreSet(list: SystemFile.contents(directory + "/online")).cores.map { node in
            CoreSet(list: SystemFile.contents("\(directory)/node\(node)/cpulist")).cores.filter(
                available.cores.contains)
        }
        let sets = nodes.filter { !$0.isEmpty }.map { CoreSet($0) }
        return sets.isEmpty ? [available] : sets
    }
}
