import Apus
import ApusCPU
import ApusDistributed
import ApusHub
import ApusJSON
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Continues the prompts of an input and writes their results: what `apus generate` does.
///
/// Each prompt gets exactly one result, in the order of the input, and the same one for any number of processes, whatever
/// fails on the way. With a file for output, results are kept in a journal beside it as they come; a run that ended in any
/// way goes on from there.
public final class GenerationRun: Sendable {
    private let input: PromptInput
    private let settings: WorkerSettings
    private let options: RunOptions
    private let observer: any RunObserver
    private let part: RunPart
    private let control = PoolControl()
    private let history: RunHistory
    /// That of a run on its way.
    private let journal = Mutex<Journal?>(nil)
    private let computes = Atomic(false)

    /// Inputs up to this size are read before anything else is done, so that a bad line costs nothing.
    private static let smallByteCount = 8 << 20

    public convenience init(
        _ input: PromptInput, settings: WorkerSettings, options: RunOptions, observer: any RunObserver
    ) {
        self.init(input, settings: settings, options: options, observer: observer, part: RunPart())
    }

    package init(
        _ input: PromptInput, settings: WorkerSettings, options: RunOptions, observer: any RunObserver, part: RunPart
    ) {
        self.input = input
        var settings = settings
        settings.inputName = input.name
        // Once for all workers: what a name leads to may change meanwhile. One that leads nowhere is told when it runs.
        settings.model = (try? ModelPath().resolve(settings.model)) ?? settings.model
        self.settings = settings
        self.options = options
        self.observer = observer
        self.part = part
        history = RunHistory(ranks: settings.processes)
    }

    /// What the run has been through so far.
    public var record: RunRecord { history.record }

    /// Whether prompts may be in flight. Before, it may wait without end for the first line of its input.
    package var hasBegun: Bool { computes.load(ordering: .relaxed) }

    /// Takes no more prompts; those in flight are finished.
    public func drain() { control.drain() }

    /// Ends at once. What was finished is kept.
    public func stop() {
        control.stop()
        try? journal.withLock { $0 }?.sync()
    }

    /// Returns when every prompt has its result and the output its name, or when it was ended early, as the record tells.
    ///
    /// Throws `RunError` with `.tryAgain` where the same may succeed later (another run on the output, a full disk, workers
    /// that died), with `.refused` where it would not, and errors of the model's.
    public func run() async throws -> RunRecord {
        do {
            let ending = try await runWhole()
            history.end(ending)
            return record
        } catch {
            history.end(.failed, failure: "\(error)")
            throw error
        }
    }

    private func runWhole() async throws -> RunRecord.Ending {
        _ = try ModelPath().resolve(settings.model)
        let inputs = [input.file].compactMap(\.self) + RunOutput.files(of: settings.model)
        let output = try RunOutput(options.output, inputs: inputs)
        history.change { [settings, input] record in
            record.version = self.options.version
            record.model = settings.model
            record.input = input.name
            record.output = self.options.output
        }
        guard case .file(let target, let journal) = output.place else {
            guard case .stream(let descriptor) = output.place else { return .failed }
            return try await runStream(descriptor)
        }
        if let remark = journal.remark { observer.remark(remark) }
        self.journal.withLock { $0 = journal }
        defer {
            journal.close()
            self.journal.withLock { $0 = nil }
        }
        return try await runFile(target, journal, name: output.name)
    }

    // MARK: Without a journal

    private func runStream(_ descriptor: OutputDescriptor) async throws -> RunRecord.Ending {
        noteInstructionSet(try InstructionSet.selected())
        let survey = try Survey(input, part, isNeededNow: false, whole: Self.smallByteCount)
        noteSurvey(survey.known)
        let jobs = PromptJobs(
            try PromptReader(input, at: part.place), count: part.count, replay: nil, retriesErrors: false,
            checks: survey.isImpossible, resumed: { _ in }, remark: { [observer] in observer.remark($0) })
        let results = OrderedResults(first: part.place.index, isOrdered: !options.isUnordered) {
            try descriptor.write($0)
        }
        let keeper = ResultKeeper(
            jobs: jobs, journal: nil, results: results, history: history, observer: observer,
            isReadable: options.isReadable)
        do {
            return try await compute(jobs, keeper, survey, apart: settings.processes > 1)
        } catch {
            try? keeper.putRest()
            let record = record
            guard record.finished > 0, !(error is RunError) else { throw error }
            let all = record.prompts.map { " of \($0)" } ?? ""
            throw RunError("\(error); \(record.finished)\(all) prompts were finished and are kept", code: .tryAgain)
        }
    }

    // MARK: With a journal

    private func runFile(_ target: String, _ journal: Journal, name: String) async throws -> RunRecord.Ending {
        var file: ResultFile?
        var isOld = journal.byteCount > 0
        do {
            return try await runFile(target, journal, name: name, isOld: &isOld, &file)
        } catch {
            // Nothing was there, and nothing came: then nothing stays. What was refused leaves what was there.
            let isEmpty = !isOld && record.finished == 0
            if isEmpty || RunError.code(of: error) == .refused { file?.remove() }
            if isEmpty { journal.remove() }
            throw error
        }
    }

    /// - Parameter isOld: whether the journal holds what must not be lost; what it turns out not to is false.
    private func runFile(
        _ target: String, _ journal: Journal, name: String, isOld: inout Bool, _ partial: inout ResultFile?
    ) async throws -> RunRecord.Ending {
        let identity = try part.model ?? ModelIdentity(directory: settings.model)
        func header(_ recorded: String?) throws -> JSONObject {
            let set = try instructionSet(recorded)
            noteInstructionSet(set)
            return RunHeader(
                settings: settings, model: identity, version: options.version, instructionSet: "\(set)",
                shard: part.name, replaces: options.force
            ).json
        }
        let state = try JournalState(journal, target: target, name: name, options: options, header: header)
        var scan: JournalScan?
        if case .after(let found) = state.beginning { scan = found }
        let reader = try PromptReader(input, at: part.place)
        let survey = try Survey(input, part, isNeededNow: scan?.input != nil, whole: Self.smallByteCount)
        noteSurvey(survey.known)
        if let noted = scan?.input, let known = survey.known, noted != known.json {
            throw RunError("\(input.name): is another than when the run began, whose results stand in \(journal.path)")
        }
        let file = try ResultFile(at: target, takesPartial: true)
        partial = file
        if let scan {
            try journal.goOn(after: scan.end)
        } else {
            isOld = false
            try journal.begin(header(part.instructionSet))
        }
        if let known = survey.known, scan?.input == nil { try journal.append([.input(known.json)]) }
        if let scan, scan.count > 0 {
            observer.remark("\(name): \(scan.count) results were there already")
        }
        try journal.keepSynced()
        ResultFile.syncFolder(of: target)
        // Until the results have their name, what stands there stays, but for a shard's part, which is nobody else's.
        let replaces = options.force || part.name != nil || RunHeader.replaces(scan?.header)
        let goal = ResultGoal(file, target: target, name: name, replaces: replaces)
        return try await fill(goal, journal, scan, survey, reader)
    }

    private func fill(
        _ goal: ResultGoal, _ journal: Journal, _ scan: JournalScan?, _ survey: Survey, _ reader: PromptReader
    ) async throws -> RunRecord.Ending {
        let file = goal.file
        let isRetry = options.retriesErrors && (scan?.errorCount ?? 0) > 0
        let isThere = try !isRetry && goal.isReached(scan?.done)
        let keeperBox = KeeperBox()
        let jobs = PromptJobs(
            reader, count: part.count,
            replay: try scan.map { scan throws(RunError) in
                try JournalReplay(path: journal.path, scan: scan)
            }, retriesErrors: isRetry, checks: survey.isImpossible, resumed: { try keeperBox.resume($0) },
            remark: { [observer] in observer.remark($0) })
        // Errors that are tried again would hold all behind them back: then the output is made of the journal at the end.
        let keeper = ResultKeeper(
            jobs: jobs, journal: journal,
            results: isRetry || isThere
                ? nil
                : OrderedResults(first: part.place.index, isOrdered: !options.isUnordered) {
                    try file.write($0)
                }, history: history, observer: observer, isReadable: false)
        keeperBox.keeper.withLock { $0 = keeper }
        if try !jobs.isEmpty() {
            if let scan, scan.done?["results"]?.integer == scan.count, !isRetry {
                throw RunError(
                    "\(input.name): has more prompts than the run that is over, whose journal is \(journal.path)")
            }
            do {
                let ending = try await compute(jobs, keeper, survey, apart: true)
                try journal.sync()
                guard ending == .finished else { return ending }
            } catch {
                try? journal.sync()
                let count = record.finished
                let kept = count > 0 ? "; \(count) results are kept in \(journal.path)" : ""
                throw RunError("\(error)\(kept)", code: RunError.code(of: error))
            }
        }
        if isThere { file.remove() } else { try finish(goal, journal, isRetry: isRetry) }
        return .finished
    }

    /// Gives the results their name, and then notes in the journal that they have it.
    private func finish(_ goal: ResultGoal, _ journal: Journal, isRetry: Bool) throws {
        let file = goal.file
        if isRetry { try rebuild(file, from: journal) } else { try goal.check() }
        try file.finish()
        let record = record
        let done: JSONObject = [
            "results": .integer(record.finished), "errors": .integer(record.errors),
            "bytes": .integer(file.byteCount), "digest": .string(Digest.text(file.digest)),
        ]
        try journal.append([.done(done)])
        try journal.sync()
    }

    private func rebuild(_ file: ResultFile, from journal: Journal) throws {
        let scan = try JournalScan(path: journal.path)
        let replay = try JournalReplay(path: journal.path, scan: scan)
        var errors = 0
        for index in part.place.index..<(part.place.index + scan.count) {
            guard let result = try replay.result(of: index) else {
                throw RunError("\(journal.path): has no result of prompt \(index)")
            }
            if result.isError { errors += 1 }
            try file.write(result.line + [0x0A])
        }
        history.change { [errors] in $0.errors = errors }
    }

    // MARK: Workers

    private func compute(
        _ jobs: PromptJobs, _ keeper: ResultKeeper, _ survey: Survey, apart: Bool
    ) async throws -> RunRecord.Ending {
        computes.store(true, ordering: .relaxed)
        var settings = settings
        if let known = survey.known {
            // More workers than prompts would have nothing to do, and no worker takes more at once than its share.
            settings.processes = min(settings.processes, max(known.count, 1))
            // What budgets leave room for is found without that.
            if settings.batchSize != nil || settings.devices.isPlain {
                let prompts = max((known.count + settings.processes - 1) / settings.processes, 1)
                let (sequences, overflow) = prompts.multipliedReportingOverflow(
                    by: max(known.widest, settings.overrides.numBeams ?? 1, settings.overrides.numReturnSequences ?? 1))
                settings.batchSize = overflow ? settings.inFlight : min(settings.inFlight, sequences)
            }
        }
        let logs = try options.logDirectory.map { try RankLogs(directory: $0, ranks: settings.processes) }
        let policy = WorkQueue.Policy.run(workers: settings.processes, batchSize: settings.inFlight)
        try survey.begin { [self] error in
            failure.withLock { $0 = error }
            control.stop()
        } found: { [self] found in
            noteSurvey(found)
            try? journal.withLock { $0 }?.append([.input(found.json)])
        }
        defer { survey.cancel() }
        let ending =
            apart
            ? try await runWorkers(jobs, keeper, settings, policy, logs)
            : try await runHere(jobs, keeper, settings, policy)
        if ending == .finished { try await survey.wait() }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return ending
    }

    /// Found by reading the whole input beside the run.
    private let failure = Mutex<(any Error)?>(nil)

    /// One process needs no others: the worker runs here.
    private func runHere(
        _ jobs: PromptJobs, _ keeper: ResultKeeper, _ settings: WorkerSettings, _ policy: WorkQueue.Policy
    ) async throws -> RunRecord.Ending {
        let pool = LocalPool(policy: policy, observer: keeper)
        let worker = try await GenerationWorker.load(settings, rank: 0)
        let pulse = try WorkerPulse(pool)
        defer { pulse.end() }
        pulse.tell(worker.report)
        try await pool.run(jobs) { try await worker.serve($0) }
        return .finished
    }

    private func runWorkers(
        _ jobs: PromptJobs, _ keeper: ResultKeeper, _ settings: WorkerSettings, _ policy: WorkQueue.Policy,
        _ logs: RankLogs?
    ) async throws -> RunRecord.Ending {
        let program = try RunningProgram.pathForWorkers()
        let pool = WorkerPool(
            workers: settings.processes, command: [program] + options.workerArguments,
            settings: Array(try JSONEncoder().encode(settings)),
            policy: WorkerPool.Policy(queue: policy, hangSeconds: options.hangSeconds))
        let observer: any PoolObserver = logs.map { LoggedRun(observer: keeper, logs: $0) } ?? keeper
        let ending = try await pool.run(jobs, observer: observer, control: control, log: logs?.log)
        return ending == .finished ? .finished : .stopped
    }

    // MARK: -

    /// That of the machine, or the one that results were made with so far: bits are the same for one alone.
    private func instructionSet(_ recorded: String?) throws -> InstructionSet {
        let own = try InstructionSet.selected()
        guard let recorded, "\(own)" != recorded else { return own }
        guard InstructionSet.choice == nil, let other = InstructionSet.available.first(where: { "\($0)" == recorded })
        else { return own }
        InstructionSet.choose(other)
        observer.remark("runs on \(other), as the results that are there were made")
        return other
    }

    private func noteInstructionSet(_ set: InstructionSet) {
        history.change { $0.instructionSet = "\(set)" }
    }

    private func noteSurvey(_ found: InputSurvey?) {
        guard let found else { return }
        history.change { [count = part.count ?? found.count] in $0.prompts = count }
        if let remark = found.remark { observer.remark(remark) }
    }
}

/// Whom results of an earlier run are given to, once there is one.
private final class KeeperBox: Sendable {
    let keeper = Mutex<ResultKeeper?>(nil)

    func resume(_ result: JournalRecord.Result) throws { try keeper.withLock { $0 }?.resume(result) }
}
