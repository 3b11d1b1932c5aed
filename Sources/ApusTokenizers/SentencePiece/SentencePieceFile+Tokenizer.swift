extension SentencePieceFile {
    /// The tokenizer that a model of SentencePiece is. Pieces of bytes and of control are no text.
    func tokenizer(_ settings: TokenizerSettings) -> Tokenizer {
        var vocabulary = Vocabulary(capacity: pieces.count)
        for (id, piece) in pieces.enumerated() {
            piece.text.withUnsafeBufferPointer { vocabulary.insert($0, id: UInt32(clamping: id)) }
        }
        let hasUserPieces = pieces.contains { $0.kind == .user }
        let userPieces = hasUserPieces ? ByteTrie(vocabulary) { pieces[Int($0)].kind != .user } : nil
        let fallback = SentencePieceFallback(self, vocabulary)
        let model: any TokenModel =
            switch algorithm {
            case .unigram: SentencePieceUnigram(self, vocabulary, fallback)
            case .bpe: SentencePieceBPE(self, vocabulary, fallback, userPieces: userPieces)
            }
        let normalizer = SentencePieceNormalizer(rules: normalization, userPieces: userPieces)
        var settings = settings
        for (id, piece) in pieces.enumerated() where piece.kind == .control {
            let token = AddedToken(String(decoding: piece.text, as: UTF8.self), isSpecial: true)
            settings.controls.append(NumberedToken(number: id, token: token))
        }
        for (name, text) in [("bos_token", bos), ("eos_token", eos), ("pad_token", pad)] {
            guard settings.declared.standard[name] == nil,
                pieces.contains(where: { $0.text == text && $0.kind == .control })
            else { continue }
            settings.ownNames[name] = String(decoding: text, as: UTF8.self)
        }
        if settings.ends == nil { settings.ends = TextEnds(hasBOS: algorithm == .bpe, hasEOS: algorithm == .unigram) }
        return Tokenizer(
            normalizer: normalizer, preTokenizer: nil, model: model, postProcessor: PostProcessor(),
            decoder: SentencePieceDecoder(self),
            added: AddedVocabulary(
                [settings.declared.additions(to: [])], model: vocabulary, normalizer: normalizer,
                splitsSpecialTokens: settings.splitsSpecialTokens),
            settings: settings)
    }
}
