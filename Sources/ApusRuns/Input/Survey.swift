import ApusDistributed
import Synchronization

/// Reads a whole input once: before the run where it is small, beside it where it is large. What can be read only once is
/// not surveyed.
final class Survey: Sendable {
    /// What was found before the run.
    let known: InputSurvey?
    private let input: PromptInput?
    /// Whether nothing looks at the lines but whoever reads them for their prompts.
    let isImpossible: Bool
    private let state = Mutex((isCancelled: false, found: InputSurvey?.none, failure: (any Error)?.none))
    private let isOver = Latch()

    /// - Parameters:
    ///   - isNeededNow: whether to wait for it, however large it is.
    ///   - whole: inputs up to so many bytes are read before the run.
    /// - Throws: `RunError` for an input that cannot be read, or a line that is no prompt.
    init(_ input: PromptInput, _ part: RunPart, isNeededNow: Bool, whole byteCount: Int) throws(RunError) {
        if case .file = input { isImpossible = part.survey == nil && input.file == nil } else { isImpossible = false }
        if let survey = part.survey {
            (known, self.input) = (survey, nil)
            return
        }
        switch input {
        case .texts: (known, self.input) = (try InputSurvey(input), nil)
        case .file:
            guard let path = input.file else {
                (known, self.input) = (nil, nil)
                return
            }
            let isSmall = (FileIdentity(path)?.byteCount ?? 0) <= byteCount
            (known, self.input) = isSmall || isNeededNow ? (try InputSurvey(input), nil) : (nil, input)
        }
    }

    /// Begins to read what was not read before the run. Throws `DistributedError` if there is no thread.
    func begin(
        onError: @escaping @Sendable (any Error) -> Void, found: @escaping @Sendable (InputSurvey) -> Void
    ) throws {
        guard let input else { return }
        try BackgroundThread.start { [self] in
            do {
                let survey = try InputSurvey(input) { !self.state.withLock { $0.isCancelled } }
                if let survey { found(survey) }
                state.withLock { $0.found = survey }
            } catch {
                state.withLock { $0.failure = error }
                onError(error)
            }
            isOver.open()
        }
    }

    func cancel() { state.withLock { $0.isCancelled = true } }

    /// Waits until all was read. Throws what was wrong with it.
    func wait() async throws {
        guard input != nil else { return }
        await isOver.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
