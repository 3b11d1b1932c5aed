/// What a run has been through, for whoever looks at it while it lasts or afterwards. Times are seconds since its start.
public struct RunRecord: Sendable, Codable, Equatable {
    public enum Ending: String, Sendable, Codable {
        case running
        /// Every prompt has its result.
        case finished
        /// A signal, or whoever called, had it end early.
        case stopped
        case failed
    }

    public struct Rank: Sendable, Codable, Equatable {
        public enum State: String, Sendable, Codable {
            case loading, running, idle, restarting, gone
        }

        public var rank: Int
        public var state = State.loading
        /// Prompts that it holds.
        public var inFlight = 0
        /// Results that counted.
        public var prompts = 0
        /// New tokens.
        public var tokens = 0
        /// Times that it was started again.
        public var restarts = 0
        public var steps = 0
        public var stepSeconds = 0.0
        public var longestStepSeconds = 0.0
        /// Bytes that went from device to device: keys and values (none), hidden states, chosen tokens.
        public var kvBytes = 0
        public var hiddenBytes = 0
        public var choiceBytes = 0
        /// When it held a prompt for the last time.
        public var lastBusySeconds = 0.0

        package init(rank: Int) { self.rank = rank }
    }

    /// Something that a person should know of: a death, a hang, a worker that stays away.
    public struct Event: Sendable, Codable, Equatable {
        public var seconds: Double
        public var rank: Int
        /// `death`, `hang` or `retirement`.
        public var kind: String
        public var message: String

        package init(seconds: Double, rank: Int, kind: String, message: String) {
            self.seconds = seconds
            self.rank = rank
            self.kind = kind
            self.message = message
        }
    }

    /// How far the run was at a moment.
    public struct Sample: Sendable, Codable, Equatable {
        public var seconds: Double
        /// Prompts finished, those of earlier runs left out.
        public var prompts: Int
        /// New tokens of each rank.
        public var tokens: [Int]

        package init(seconds: Double, prompts: Int, tokens: [Int]) {
            self.seconds = seconds
            self.prompts = prompts
            self.tokens = tokens
        }
    }

    /// What a step takes by the number of its tokens, fitted over all steps.
    public struct StepTime: Sendable, Codable, Equatable {
        public var steps = 0
        public var tokens = 0.0
        public var seconds = 0.0
        public var baseMilliseconds = 0.0
        public var millisecondsPerToken = 0.0
    }

    public var version = ""
    public var instructionSet = ""
    public var model = ""
    public var input = ""
    public var output: String?
    /// ISO 8601, UTC.
    public var startedAt = ""
    public var ending = Ending.running
    /// Why it failed.
    public var failure: String?
    public var exitCode = 0
    public var seconds = 0.0
    /// Until the first prompt was handed out, and until the first result came.
    public var firstDispatchSeconds: Double?
    public var firstResultSeconds: Double?
    /// From when the first rank had no more to do until the end.
    public var tailSeconds = 0.0
    /// Of the whole input, once it is known.
    public var prompts: Int?
    /// Prompts with a result, those of earlier runs included.
    public var finished = 0
    /// Of those, the results of earlier runs of the same journal.
    public var resumed = 0
    /// Of those, errors.
    public var errors = 0
    /// Of results of this run.
    public var tokens = 0
    public var promptTokens = 0
    public var ranks: [Rank] = []
    public var events: [Event] = []
    /// At most `RunRecord.sampleLimit`, evenly over the run.
    public var samples: [Sample] = []
    public var stepTime = StepTime()

    public static let sampleLimit = 512

    public init() {}
}
