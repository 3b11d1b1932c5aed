import ApusJSON
import FoundationEssentials

/// Finds the tokenizer of a checkpoint.
public enum AutoTokenizer {
    /// Loads the tokenizer of a directory in Hugging Face's layout.
    ///
    /// Reads `tokenizer.json` (https://github.com/huggingface/tokenizers) and, where present, `tokenizer_config.json`,
    /// `special_tokens_map.json` and `added_tokens.json`, whose tokens are added as by `PreTrainedTokenizerFast` of
    /// transformers. Blocks while it reads. The `truncation` and `padding` that a tokenizer.json may have are not
    /// applied, as in transformers: a caller asks for them.
    ///
    /// - Throws: ``TokenizerError`` if a file is missing, is not what it should be, or needs what Apus does not have.
    public static func from(pretrained directory: String) throws(TokenizerError) -> Tokenizer {
        let path = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        guard let root = try readJSON("\(path)/tokenizer.json") else {
            throw .unreadable("\(path)/tokenizer.json does not exist; Apus reads tokenizers from that file")
        }
        let files = try DeclaringFiles { name throws(TokenizerError) in
            guard let root = try readJSON("\(path)/\(name)") else { return nil }
            return try ComponentConfiguration(root, at: "\(path)/\(name)")
        }
        return try Tokenizer(
            ComponentConfiguration(root, at: "\(path)/tokenizer.json"),
            settings: TokenizerSettings(files, configuresEnds: false))
    }

    /// `nil` for a file that does not exist.
    private static func readJSON(_ path: String) throws(TokenizerError) -> JSONValue? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw .unreadable("\(path) cannot be read")
        }
        guard !data.starts(with: Array("version https://git-lfs.github.com/spec/".utf8)) else {
            throw .malformed("\(path): is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'")
        }
        do {
            return try data.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
            }.get()
        } catch {
            throw .malformed("\(path): \(error)")
        }
    }
}
