import ApusJSON

/// Turns text into the token ids of a model and back, exactly as the Python package `tokenizers` does.
///
/// Made by ``AutoTokenizer``. Safe to share: any number of tasks may encode and decode at once. No call blocks.
public final class Tokenizer: Sendable {
    /// An end of a sequence of tokens.
    public enum Side: String, Sendable {
        case left, right
    }

    let normalizer: (any Normalizer)?
    let preTokenizer: (any PreTokenizer)?
    let model: any TokenModel
    let postProcessor: PostProcessor
    let decoder: any Decoder
    let added: AddedVocabulary
    let specialIDs: Set<UInt32>
    let chatTemplates: ChatTemplates
    /// What only chat templates write, and what finds it.
    let ownControls: [(bytes: [UInt8], value: UInt32)]
    let controls: AhoCorasick?
    /// The tokens that have names, as templates call them.
    let namedTokens: [(name: String, token: String)]

    /// The ids of the tokens that a checkpoint names for these ends; `nil` where it names none. A name whose token the
    /// vocabulary lacks adds it, with an id that may be beyond the model's own.
    public let bosTokenID: Int?
    public let eosTokenID: Int?
    public let padTokenID: Int?
    public let unkTokenID: Int?
    /// Where padding goes unless a caller says otherwise: `padding_side` of tokenizer_config.json, else where the
    /// `padding` of tokenizer.json has it, else right.
    public let paddingSide: Side

    init(
        normalizer: (any Normalizer)?, preTokenizer: (any PreTokenizer)?, model: any TokenModel,
        postProcessor: PostProcessor, decoder: any Decoder, added: AddedVocabulary,
        settings: TokenizerSettings
    ) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.decoder = decoder
        self.added = added
        chatTemplates = settings.chatTemplates
        ownControls = settings.controls.map { (Array($0.token.content.utf8), UInt32(clamping: $0.number)) }
        controls = ownControls.isEmpty ? nil : AhoCorasick(ownControls)
        namedTokens = DeclaredTokens.standardNames.compactMap { name in
            (settings.declared.content(of: name) ?? settings.ownNames[name]).map { (name, $0) }
        }
        specialIDs = added.specialIDs(model: model.vocabulary)
        func id(_ name: String) -> Int? {
            (settings.declared.content(of: name) ?? settings.ownNames[name])
                .flatMap { added.id(of: $0, model: model.vocabulary) }.map { Int($0) }
        }
        let (bos, eos) = (id("bos_token"), id("eos_token"))
        bosTokenID = bos
        eosTokenID = eos
        padTokenID = id("pad_token")
        unkTokenID = id("unk_token")
        paddingSide = settings.paddingSide ?? .right
        self.postProcessor =
            settings.ends.map {
                PostProcessor(before: $0.hasBOS ? bos : nil, after: $0.hasEOS ? eos : nil)
            } ?? postProcessor
    }

    /// How many tokens there are, added ones included.
    public var vocabularySize: Int {
        let overlapping = added.ids.keys.count { model.vocabulary.id(for: Array($0.string.utf8)) != nil }
        return model.vocabulary.count + added.ids.count - overlapping
    }

    /// The id of a token as it stands in the vocabulary (`Ġthe`, not ` the`).
    public func id(for token: String) -> Int? { added.id(of: token, model: model.vocabulary).map { Int($0) } }

    /// The token of an id as it stands in the vocabulary; `nil` for an id that there is not.
    public func token(for id: Int) -> String? { bytes(for: id).map { String(decoding: $0, as: UTF8.self) } }

    /// The tokens of ids, as they stand in the vocabulary; an id that there is not gives an empty one.
    public func tokens(for ids: [Int]) -> [String] { ids.map { token(for: $0) ?? "" } }

    func bytes(for id: Int) -> [UInt8]? {
        guard let id = UInt32(exactly: id) else { return nil }
        return added.form(of: id) ?? model.vocabulary.bytes(for: id).map { Array($0) }
    }
}
