/// The processors that a configuration asks for, in the order of transformers' `_get_logits_processor`. Of those that it lacks,
/// biases come first, where it has `sequence_bias`, and penalties on occurrence behind that on repetition.
package struct LogitsProcessorChain: LogitsProcessor {
    package let processors: [any LogitsProcessor]

    package init(_ config: GenerationConfig.Resolved) {
        var processors: [any LogitsProcessor] = []
        if !config.logitBias.isEmpty { processors.append(LogitBias(config.logitBias)) }
        if config.repetitionPenalty != 1 { processors.append(RepetitionPenalty(config.repetitionPenalty)) }
        if config.presencePenalty != 0 || config.frequencyPenalty != 0 {
            processors.append(
                OccurrencePenalty(presence: config.presencePenalty, frequency: config.frequencyPenalty))
        }
        if config.noRepeatNgramSize > 0 { processors.append(NoRepeatNGram(config.noRepeatNgramSize)) }
        if !config.badWordsIDs.isEmpty {
            processors.append(BadWords(config.badWordsIDs, eosTokenIDs: config.eosTokenIDs))
        }
        if config.minNewTokens > 0, !config.eosTokenIDs.isEmpty {
            processors.append(MinNewTokens(config.minNewTokens, eosTokenIDs: config.eosTokenIDs))
        }
        if config.doSample {
            if config.temperature != 1 { processors.append(Temperature(config.temperature)) }
            if config.topK > 0 { processors.append(TopK(config.topK)) }
            if config.topP < 1 { processors.append(TopP(config.topP)) }
            if let minP = config.minP { processors.append(MinP(minP)) }
            if config.typicalP < 1 { processors.append(TypicalP(config.typicalP)) }
        }
        self.processors = processors
    }

    package var isEmpty: Bool { processors.isEmpty }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        for processor in processors { processor.process(&logits, history) }
    }
}
