import ApusCPU
import ApusJSON

/// What a run finds in its journal, and whether it may go on from there.
struct JournalState {
    enum Beginning {
        /// Nothing is there, or what is there gives way.
        case anew
        case after(JournalScan)
    }

    let beginning: Beginning

    /// - Parameters:
    ///   - target: the output's file.
    ///   - name: what a person knows it by.
    /// - Throws: `RunError` (`.refused`) where results would be lost, or would come of two different runs.
    init(
        _ journal: Journal, target: String, name: String, options: RunOptions, header: (String?) throws -> JSONObject
    ) throws {
        let hasOutput = (FileIdentity(target)?.byteCount ?? 0) > 0
        let scan = journal.byteCount > 0 ? try JournalScan(path: journal.path) : nil
        if let scan, scan.header == nil, !journal.isTornAtStart {
            throw RunError(
                "\(journal.path): is no journal of a run, or damaged at its start; it must be taken away first")
        }
        // What has been cut behind its header may have been results.
        let isWhole = scan.map { $0.end == journal.byteCount } ?? true
        guard let scan, let noted = scan.header, scan.count > 0 || scan.done != nil || !isWhole else {
            // A journal that was cut within its first line, or has nothing behind it, has begun nothing.
            if hasOutput, !options.force {
                throw RunError("\(name): holds something already; --force replaces it once all results are there")
            }
            if scan == nil, !options.force, (FileIdentity(target + ".partial")?.byteCount ?? 0) > 0 {
                throw RunError("\(name).partial: holds results of a run that did not end; --force gives them up")
            }
            beginning = .anew
            return
        }
        guard options.resume else {
            if scan.done != nil, options.force {
                beginning = .anew
                return
            }
            guard scan.done == nil else {
                throw RunError(
                    hasOutput
                        ? "\(name): holds something already; --force replaces it once all results are there"
                        : "\(journal.path): holds the results of a run that is over; --resume writes them again, --force begins "
                            + "anew")
            }
            throw RunError(
                "\(journal.path): holds results of a run that did not end; --resume goes on with it, and who does not want "
                    + "them removes the file")
        }
        let own = try header(RunHeader.instructionSet(of: noted))
        if let change = RunHeader.difference(from: noted, to: own) {
            throw RunError("\(journal.path): is of another run: \(change)")
        }
        beginning = .after(scan)
    }
}
