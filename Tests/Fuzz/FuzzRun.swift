import Foundation

/// Loads damaged copies of sound directories, one after the other, and watches what each costs.
struct FuzzRun {
    struct Outcome {
        var loaded = 0
        var refused = 0
        var slowest: (seconds: Double, index: Int) = (0, 0)
        var hungriest: (bytes: Int, index: Int) = (0, 0)
        var findings: [String] = []
    }

    /// Processor seconds that one case may take. The files are smaller than 30 kB.
    static let secondsPerCase = 2.0
    /// How far one case may raise the process's peak of memory.
    static let bytesPerCase = 48 << 20

    let sources: [FuzzSource]
    let seed: UInt64
    let directory: URL

    /// What one case is: the source, and the one file of it that is damaged.
    private func damage(_ index: Int) -> (source: FuzzSource, name: String, bytes: [UInt8]) {
        var random = FuzzRandom(seed: seed, index: index)
        // Half of the cases are checkpoints, and most tokenizers whole ones, though there are more of put together ones.
        let wantsCheckpoint = random.chance(50)
        let wantsComponents = random.chance(25)
        let source = random.pick(
            sources.filter {
                let isCheckpoint = !($0.subject is TokenizerSubject)
                return isCheckpoint == wantsCheckpoint && (isCheckpoint || $0.isPutTogether == wantsComponents)
            })
        let file = random.pick(source.files)
        return (source, file.name, FileMutator.mutate(file.bytes, named: file.name, &random))
    }

    func run(_ cases: Range<Int>) throws -> Outcome {
        var outcome = Outcome()
        for source in sources { try prepare(source) }
        for index in cases {
            let (source, name, bytes) = damage(index)
            let file = folder(of: source).appendingPathComponent(name)
            try Data(bytes).write(to: file)
            try Data("case \(index), \(source.name)\n".utf8).write(to: directory.appendingPathComponent("case"))
            let (time, memory) = (ProcessLimits.processorSeconds, ProcessLimits.peakMemory)
            ProcessLimits.mustReturn(within: 60)
            do {
                try source.subject.exercise(folder(of: source).path)
                outcome.loaded += 1
            } catch {
                outcome.refused += 1
                if let fault = Self.fault(of: error) {
                    outcome.findings.append("case \(index), \(source.name): \(fault)")
                }
            }
            ProcessLimits.mustReturn(within: 0)
            outcome.account(
                index, source.name, ProcessLimits.processorSeconds - time, ProcessLimits.peakMemory - memory)
            try Data(source.sound(name)).write(to: file)
        }
        return outcome
    }

    private func folder(of source: FuzzSource) -> URL { directory.appendingPathComponent(source.name) }

    /// Writes a source's files, and checks that they load.
    private func prepare(_ source: FuzzSource) throws {
        let folder = folder(of: source)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, bytes) in source.files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
        do {
            try source.subject.exercise(folder.path)
        } catch {
            throw FuzzFinding(description: "\(source.name) does not load undamaged: \(error)")
        }
    }

    /// What is wrong with an error itself: it must be one of the kinds that people are meant to see, and one clear line.
    private static func fault(of error: any Error) -> String? {
        let text = "\(error)"
        guard isExpected(error) else { return "\(type(of: error)): \(text)" }
        let isClear = !text.isEmpty && text.utf8.count < 4000 && !text.unicodeScalars.contains { $0.value < 0x20 }
        return isClear ? nil : "an error that is not one clear line: \(text.prefix(200).debugDescription)"
    }
}

extension FuzzRun.Outcome {
    fileprivate mutating func account(_ index: Int, _ name: String, _ seconds: Double, _ bytes: Int) {
        if seconds > slowest.seconds { slowest = (seconds, index) }
        if bytes > hungriest.bytes { hungriest = (bytes, index) }
        if seconds > FuzzRun.secondsPerCase { findings.append("case \(index), \(name) took \(seconds) s") }
        if bytes > FuzzRun.bytesPerCase { findings.append("case \(index), \(name) took \(bytes >> 20) MiB") }
    }
}
