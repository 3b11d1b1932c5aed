import ApusDownload
import ApusHub
import ApusRuns
import ArgumentParser
import Synchronization

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download",
        abstract: "Fetches a model from a hub into the cache that Python's tools use too.",
        discussion: """
            Only what Apus reads, and of that only what is missing; what an earlier download left half done is gone on with. \
            Prints the directory; every command then finds the model by its name, without a network. HF_TOKEN shows who \
            asks, HF_HUB_CACHE and HF_HOME say where the cache is, HF_ENDPOINT names another hub.

            EXAMPLES
              apus download org/name
              apus download org/name@v1.0
              apus download org/name-GGUF:Q4_K_M
              apus generate --model org/name "a dog"
            """)

    @Argument(
        help: ArgumentHelp(
            "org/name, with @revision behind it for a branch, tag or commit; of GGUF files, :Q4_K_M or /FILE.gguf picks one.",
            valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "Fetch the files that match this pattern, in place of those that Apus reads; can be given several times.",
            valueName: "glob"))
    var include: [String] = []

    @Flag(name: .shortAndLong, help: "No progress, no summary.")
    var quiet = false

    func run() async throws {
        let progress = DownloadProgress()
        let line = DownloadLine(progress, isEnabled: !quiet)
        let drawing = Task { await line.follow() }
        do {
            let directory = try await ModelHub.download(HubName(name), include: include, progress: progress) {
                line.write($0)
            }
            drawing.cancel()
            line.end()
            if !quiet { StandardError.write(line.summary(of: name)) }
            try OutputDescriptor.standardOutput.write((directory + "\n").utf8)
        } catch let error as HubError where [.network, .cache].contains(error.code) {
            drawing.cancel()
            line.end()
            StandardError.write("Error: \(error)")
            throw RunExitCode.tryAgain
        } catch {
            drawing.cancel()
            line.end()
            throw error
        }
    }
}

/// How far a download is, as one line that is rewritten.
private final class DownloadLine: Sendable {
    private struct State {
        let line = RewrittenLine()
        var isOver = false
    }

    private let progress: DownloadProgress
    private let isEnabled: Bool
    private let start = MonotonicClock.seconds
    private let mutex = Mutex(State())

    init(_ progress: DownloadProgress, isEnabled: Bool) {
        self.progress = progress
        self.isEnabled = isEnabled && Terminal.canRewrite
    }

    /// Draws five times a second until the task is cancelled.
    func follow() async {
        while isEnabled, !Task.isCancelled {
            mutex.withLock { if !$0.isOver { $0.line.show(text) } }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    func write(_ text: String) {
        mutex.withLock { state in
            state.line.clear()
            StandardError.write(text)
        }
    }

    func end() {
        mutex.withLock { state in
            state.line.clear()
            state.isOver = true
        }
    }

    private var text: String {
        let state = progress.state
        guard state.files > 0 else { return "asking the hub" }
        let rate = Double(state.bytesFetched) / max(MonotonicClock.seconds - start, 1e-3)
        let rest = max(state.bytes - state.bytesDone, 0)
        var text =
            "\(state.filesDone)/\(state.files) files, \(Self.written(state.bytesDone)) of \(Self.written(state.bytes))"
        text += ", \(Self.written(Int(rate)))/s"
        if rate >= 1, rest > 0 { text += ", \((Double(rest) / rate).written(0)) s left" }
        return text
    }

    func summary(of name: String) -> String {
        let state = progress.state
        let seconds = (MonotonicClock.seconds - start).written(1)
        let what = "\(state.files) file\(state.files == 1 ? "" : "s"), \(Self.written(state.bytesDone))"
        return state.bytesFetched == 0
            ? "\(name): \(what), all there already"
            : "\(name): \(what), \(Self.written(state.bytesFetched)) fetched in \(seconds) s"
    }

    private static func written(_ bytes: Int) -> String {
        let size = Double(bytes)
        return switch bytes {
        case ..<1_000_000: (size / 1e3).written(1) + " kB"
        case ..<1_000_000_000: (size / 1e6).written(1) + " MB"
        default: (size / 1e9).written(2) + " GB"
        }
    }
}
