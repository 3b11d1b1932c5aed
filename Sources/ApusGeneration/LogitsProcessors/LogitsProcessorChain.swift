/// The processors that a configuration asks for, in the order of transformers' `_get_logits_processor`.
package struct LogitsProcessorChain: LogitsProcessor {
    package let processors: [any LogitsProcessor]

    package init(_ config: GenerationConfig.Resolved) {
        var processors: [any LogitsProcessor] = []
        if config.repetitionPenalty != 1 { processors.append(RepetitionPenalty(config.repetitionPenalty)) }
        if config.minNewTokens > 0, !config.eosTokenIDs.isEmpty {
            processors.append(MinNewTokens(config.minNewTokens, eosTokenIDs: config.eosTokenIDs))
        }
        if config.doSample {
            if config.temperature != 1 { processors.append(Temperature(config.temperature)) }
            if config.topK > 0 { processors.append(TopK(config.topK)) }
            if config.topP < 1 { processors.append(TopP(config.topP)) }
            if let minP = config.minP { processors.append(MinP(minP)) }
        }
        self.processors = processors
    }

    package var isEmpty: Bool { processors.isEmpty }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        for processor in processors { processor.process(&logits, history) }
    }
}
