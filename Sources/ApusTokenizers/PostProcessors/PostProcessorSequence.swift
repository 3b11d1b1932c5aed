/// Several post-processors, one after the other.
struct PostProcessorSequence: PostProcessor {
    let processors: [any PostProcessor]

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        var processors: [any PostProcessor] = []
        for component in try configuration.components("processors") {
            processors.append(try component.postProcessor())
        }
        self.processors = processors
    }

    var addedCount: Int { processors.reduce(0) { $0 + $1.addedCount } }

    func process(_ ids: [Int], addSpecialTokens: Bool) -> [Int] {
        processors.reduce(ids) { $1.process($0, addSpecialTokens: addSpecialTokens) }
    }
}
