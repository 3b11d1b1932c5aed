import ApusJSON

/// The place that a run's results are to have, and what stands there meanwhile.
struct ResultGoal: Sendable {
    let file: ResultFile
    let target: String
    /// What a person knows it by.
    let name: String
    /// Whether whatever stands there gives way.
    let replaces: Bool

    init(_ file: ResultFile, target: String, name: String, replaces: Bool) {
        self.file = file
        self.target = target
        self.name = name
        self.replaces = replaces
    }

    /// Whether the results of a run that is over stand there as they were written.
    func isReached(_ done: JSONObject?) throws(RunError) -> Bool {
        guard let done, let byteCount = done["bytes"]?.integer, FileIdentity(target)?.byteCount == byteCount else {
            return false
        }
        return try Digest.text(Digest.ofFile(target)) == done["digest"]?.string
    }

    /// Throws `RunError` if what stands there is neither nothing, nor these results or their beginning: it is somebody's, and
    /// was not there when the run began.
    func check() throws(RunError) {
        guard !replaces, let there = FileIdentity(target), there.byteCount > 0 else { return }
        if there.byteCount <= file.byteCount {
            let (standing, ours) = (
                try Digest.ofFile(target), try Digest.ofFile(file.partial, first: there.byteCount)
            )
            if standing == ours { return }
        }
        throw RunError(
            "\(name): holds something that is not of this run, whose results stand in its journal; --force replaces it"
        )
    }
}
