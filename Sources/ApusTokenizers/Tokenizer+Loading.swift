import ApusJSON

extension Tokenizer {
    /// Reads a tokenizer.json.
    ///
    /// - Parameter own: a decoder that such a file has no words for, instead of the file's.
    convenience init(
        _ root: ComponentConfiguration, settings: TokenizerSettings, decoder own: (any Decoder)? = nil
    ) throws(TokenizerError) {
        if let version = root.optional("version"), version.string != "1.0" {
            throw .unsupported("\(root.place): only version \"1.0\" of the format is supported")
        }
        let normalizer = try root.optional("normalizer").map { _ throws(TokenizerError) in
            try root.component("normalizer").normalizer()
        }
        var preTokenizer = try root.optional("pre_tokenizer").map { _ throws(TokenizerError) in
            try root.component("pre_tokenizer").preTokenizer()
        }
        let leavingBytes = (preTokenizer as? any ByteLevelTail)?.leavingBytes
        let model = try root.component("model").tokenModel(isByteLevel: leavingBytes != nil)
        if (model as? BytePairModel)?.byteTokens != nil { preTokenizer = leavingBytes }
        let postProcessor = try root.optional("post_processor").map { _ throws(TokenizerError) in
            try root.component("post_processor").postProcessor()
        }
        let decoder = try root.optional("decoder").map { _ throws(TokenizerError) in
            try root.component("decoder").decoder()
        }
        var settings = settings
        if let padding = try root.optionalComponent("padding") { try settings.takeDefaults(ofPadding: padding) }
        let listed = try root.numberedTokens()
        self.init(
            normalizer: normalizer, preTokenizer: preTokenizer, model: model,
            postProcessor: postProcessor ?? PostProcessor(),
            decoder: own ?? decoder ?? SpaceJoiningDecoder(),
            added: AddedVocabulary(
                [listed.map(\.token), settings.declared.additions(to: listed)], model: model.vocabulary,
                normalizer: normalizer, splitsSpecialTokens: settings.splitsSpecialTokens),
            settings: settings)
    }
}
