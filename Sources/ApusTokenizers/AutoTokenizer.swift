import ApusCheckpoints
import ApusHub
import ApusJSON

/// Finds the tokenizer of a checkpoint.
public enum AutoTokenizer {
    /// The tokenizer of a directory, `nil` if it has none.
    package static func ifPresent(in directory: String) throws(TokenizerError) -> Tokenizer? {
        do {
            return try from(pretrained: directory)
        } catch  where error.code == .missing {
            return nil
        }
    }

    /// Loads the tokenizer of a directory in Hugging Face's layout, or of a model's name on a hub (`org/name@revision`) whose
    /// snapshot is in the cache of this machine, by what lies there: `tokenizer.json`
    /// (https://github.com/huggingface/tokenizers), `tokenizer.model` or `spiece.model` of SentencePiece (or of tiktoken, if
    /// there are lines of base64 in it), `tekken.json`, `*.tiktoken`, `vocab.json` with `merges.txt`, `vocab.txt`.
    ///
    /// A GGUF file has its own. Where present, `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` are read too: their tokens are
    /// added as by `PreTrainedTokenizerFast` of transformers. Blocks while it reads. The `truncation` and `padding` that a
    /// tokenizer.json may have are not applied, as in transformers: a caller asks for them.
    ///
    /// - Throws: ``TokenizerError`` if the name is not in the cache, a file is missing, is not what it should be, or needs what
    ///   Apus does not have.
    public static func from(pretrained name: String) throws(TokenizerError) -> Tokenizer {
        let directory = try directory(of: name)
        if GGUFFile.isOne(directory) {
            guard let vocabulary = try GGUFVocabulary(path: directory) else {
                throw .missing("\(directory) has no tokenizer")
            }
            return try vocabulary.tokenizer()
        }
        let files = TokenizerFiles(directory: directory)
        let declaring = try DeclaringFiles { name throws(TokenizerError) in try files.object(name) }
        let templates = try ChatTemplates(files, declaring.configuration)
        if let root = try files.object("tokenizer.json") {
            var settings = try TokenizerSettings(declaring, configuresEnds: false)
            settings.chatTemplates = templates
            return try Tokenizer(root, settings: settings)
        }
        var settings = try TokenizerSettings(declaring, configuresEnds: true)
        settings.chatTemplates = templates
        for name in ["tokenizer.model", "spiece.model"] {
            guard let bytes = try files.bytes(name) else { continue }
            if TiktokenFile.matches(bytes) {
                return try TiktokenFile(bytes, at: files.path(name)).tokenizer(settings)
            }
            return try SentencePieceFile(bytes, at: files.path(name)).tokenizer(settings)
        }
        if let root = try files.object("tekken.json") { return try TekkenFile(root).tokenizer(settings) }
        for name in files.names(endingIn: ".tiktoken") + ["tiktoken.model"] {
            guard let bytes = try files.bytes(name) else { continue }
            return try TiktokenFile(bytes, at: files.path(name)).tokenizer(settings)
        }
        let lists = VocabularyLists(files, declaring.configuration, settings)
        if let tokenizer = try lists.bytePairs() { return tokenizer }
        if let tokenizer = try lists.wordPieces() { return tokenizer }
        if let name = files.half(of: "vocab.json", and: "merges.txt") {
            throw .missing(
                "\(files.directory) has no tokenizer: \(name.here) needs \(name.missing), which is not there")
        }
        throw .missing(
            "\(files.directory) has no tokenizer: no tokenizer.json, tokenizer.model, spiece.model, tekken.json, *.tiktoken, vocab.json with merges.txt or vocab.txt"
        )
    }

    private static func directory(of name: String) throws(TokenizerError) -> String {
        do {
            return try ModelPath().resolve(name, for: .tokenizer)
        } catch {
            throw TokenizerError(code: .notCached, message: error.message)
        }
    }
}
