// More items than processes, and not a multiple: padded, everyone has equally many, and gathering drops the padding.
//
//     swift build -c release && .build/release/apus launch -n 4 .build/release/OddSplit

import Apus

@main
struct OddSplit {
    static func main() async throws {
        let accelerator = try await Accelerator()
        let animals = ["dog", "cat", "hen", "cow", "pig", "duck", "owl", "bee", "ant"]

        let share = try accelerator.splitBetweenProcesses(animals, applyPadding: true)
        let plurals = share.map { $0 + "s" }
        print("Process \(accelerator.processIndex) - \(plurals)")

        let all = try await accelerator.gatherObject(plurals, of: share)
        accelerator.print("All: \(all)")
    }
}
