import ApusJSON
import FoundationEssentials

/// Finds the tokenizer of a checkpoint.
public enum AutoTokenizer {
    /// Loads the tokenizer of a directory in Hugging Face's layout.
    ///
    /// Reads `tokenizer.json` (https://github.com/huggingface/tokenizers) and, where present, `tokenizer_config.json`
    /// and `special_tokens_map.json`. Blocks while it reads. The `truncation` and `padding` that a tokenizer.json may
    /// have are not applied, as in transformers: a caller asks for them.
    ///
    /// - Throws: ``TokenizerError`` if a file is missing, is not what it should be, or needs what Apus does not have.
    public static func from(pretrained directory: String) throws(TokenizerError) -> Tokenizer {
        let path = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        guard let root = try readJSON("\(path)/tokenizer.json") else {
            throw .unreadable("\(path)/tokenizer.json does not exist; Apus reads tokenizers from that file")
        }
        let settings = TokenizerSettings(
            configuration: try readJSON("\(path)/tokenizer_config.json"),
            specialTokens: try readJSON("\(path)/special_tokens_map.json"))
        return try Tokenizer(
            ComponentConfiguration(root, at: "\(path)/tokenizer.json"), settings: settings)
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
        do {
            return try data.withUnsafeBytes { bytes in
                Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
            }.get()
        } catch {
            throw .malformed("\(path): \(error)")
        }
    }
}
