package import ApusCompute
import ApusGeneration
import ApusModels

/// Finds what the matrices of a model are multiplied with, so that they can be rounded with that in mind (docs/QUANTIZATION.md).
package struct Calibration {
    /// Sequences of tokens that go through the model, and the length of each.
    package static let sequences = 16
    package static let length = 256

    private let directory: String
    private let threads: Int?

    package init(directory: String, threads: Int? = nil) {
        self.directory = directory
        self.threads = threads
    }

    /// Adds to moments what a text makes.
    ///
    /// - Parameters:
    ///   - text: tokens of which as many pieces as `sequences` go through the model; if `nil`, those that it draws by itself from
    ///     its first token on, which need no text and are of what it was trained on.
    ///   - progress: is told the share that is done, from time to time; what it throws ends the work.
    /// - Throws: what loading the model throws; `GenerationError` for tokens beyond the vocabulary.
    package func collect(
        _ moments: InputMoments, text: [Int]? = nil,
        progress: @escaping @Sendable (Double) throws -> Void = { _ in }
    ) async throws {
        let machine = try MachineDevices(threads: threads)
        let device = try machine.device(.cpu, directory: directory, moments: moments)
        let decoder = try DecoderModel.load(directory: directory, device: device)
        let length = min(Self.length, decoder.spec.trainedContextLength)
        let settings = try GenerationConfig(directory: directory)
        let model = try CausalLanguageModel(
            decoder, generationConfig: GenerationConfig(), batchSize: text == nil ? Self.sequences : 1,
            memory: machine.memoryForCaches, contextLength: length)
        guard let text else {
            return try await draw(model, settings, length, decoder.spec.vocabularySize, progress)
        }
        let windows = Perplexity.windows(of: text.count, window: length, stride: length)
        let count = min(Self.sequences, windows.count)
        for index in 0..<count {
            try progress(Double(index) / Double(count))
            let tokens = Array(text[windows[index * windows.count / count].tokens])
            _ = try await model.perplexity(of: tokens, window: max(length, 2))
        }
    }

    private func draw(
        _ model: CausalLanguageModel, _ settings: GenerationConfig, _ length: Int, _ vocabulary: Int,
        _ progress: @escaping @Sendable (Double) throws -> Void
    ) async throws {
        // Settings may be of a larger vocabulary.
        let known = 0..<vocabulary
        let all = settings.eosTokenIDs?.filter(known.contains) ?? []
        let ends = Set(all).count < vocabulary ? all : []
        let first = settings.bosTokenID.flatMap { known.contains($0) ? $0 : nil } ?? ends.first ?? 0
        let prompts = Array(repeating: [first], count: Self.sequences)
        let tokens = max(length - 1, 1)
        let config = GenerationConfig(
            maxNewTokens: tokens, minNewTokens: tokens, doSample: true, temperature: 1, topK: 0, topP: 1,
            eosTokenIDs: ends)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await model.generate(prompts, config: config) }
            group.addTask {
                while true {
                    try await Task.sleep(for: .milliseconds(100))
                    try progress(min(Double(model.meter.reading.steps) / Double(tokens + 1), 1))
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}
