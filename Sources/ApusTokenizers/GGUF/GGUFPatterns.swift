/// How texts are split before merging, by what GGUF files call it in `tokenizer.ggml.pre`; the patterns are those of the
/// tokenizer.json that each name stands for.
struct GGUFPatterns {
    /// Each splits what those before it have left.
    var patterns: [String]
    /// Whether a word that is a token stays whole.
    var ignoresMerges = false
    var addsBOS = false

    /// Where a file names none: what was usual before names were written.
    static let assumed = "default"

    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let tail = #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let llama3 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"# + tail
    private static let qwen2 = contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"# + tail
    private static let qwen35 =
        contractions
        + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let small = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    private static let capital = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let tekken =
        #"[^\r\n\p{L}\p{N}]?"# + capital + "*" + small + #"+|[^\r\n\p{L}\p{N}]?"# + capital + "+" + small
        + #"*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let gpt4o =
        #"[^\r\n\p{L}\p{N}]?"# + capital + "*" + small + "+" + contractions + #"?|[^\r\n\p{L}\p{N}]?"# + capital + "+"
        + small + "*" + contractions + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let words =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"##
        + #"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let letters =
        "[A-Za-z\u{b5}\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{1ba}\u{1bc}-\u{1bf}\u{1c4}-\u{293}\u{295}-\u{2af}\u{370}-\u{373}\u{376}\u{377}\u{37b}-\u{37d}\u{37f}\u{386}\u{388}-\u{38a}\u{38c}\u{38e}-\u{3a1}\u{3a3}-\u{3f5}\u{3f7}-\u{481}\u{48a}-\u{52f}\u{531}-\u{556}\u{10a0}-\u{10c5}\u{13a0}-\u{13f5}\u{13f8}-\u{13fd}\u{1c90}-\u{1cba}\u{1cbd}-\u{1cbf}\u{1d00}-\u{1d2b}\u{1d6b}-\u{1d77}\u{1d79}-\u{1d9a}\u{1e00}-\u{1f15}\u{1f18}-\u{1f1d}\u{1f20}-\u{1f45}\u{1f48}-\u{1f4d}\u{1f50}-\u{1f57}\u{1f59}\u{1f5b}\u{1f5d}\u{1f5f}-\u{1f7d}\u{1f80}-\u{1fb4}\u{1fb6}-\u{1fbc}\u{1fbe}\u{1fc2}-\u{1fc4}\u{1fc6}-\u{1fcc}\u{1fd0}-\u{1fd3}\u{1fd6}-\u{1fdb}\u{1fe0}-\u{1fec}\u{1ff2}-\u{1ff4}\u{1ff6}-\u{1ffc}\u{2102}\u{2107}\u{210a}-\u{2113}\u{2115}\u{2119}-\u{211d}\u{2124}\u{2126}\u{2128}\u{212a}-\u{212d}\u{212f}-\u{2134}\u{2139}\u{213c}-\u{213f}\u{2145}-\u{2149}\u{214e}\u{2183}\u{2184}\u{2c00}-\u{2c7b}\u{2c7e}-\u{2ce4}\u{2ceb}-\u{2cee}\u{2cf2}\u{2cf3}\u{a640}-\u{a66d}\u{a680}-\u{a69b}\u{a722}-\u{a76f}\u{a771}-\u{a787}\u{a78b}-\u{a78e}\u{ab70}-\u{abbf}\u{fb00}-\u{fb06}\u{fb13}-\u{fb17}\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}]"
    private static let chinese = "[一-龥ࠀ-一가-퟿]+"

    static let named: [String: GGUFPatterns] = {
        let digitsFirst = GGUFPatterns(patterns: [#"\p{N}"#, gpt2])
        let whole = GGUFPatterns(patterns: [llama3], ignoresMerges: true, addsBOS: true)
        let deepseek3 = GGUFPatterns(patterns: [#"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+", words])
        let bloom = GGUFPatterns(patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#])
        let groups: [(names: String, patterns: GGUFPatterns)] = [
            ("llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", whole),
            ("dbrx smaug-bpe chatglm-bpe", GGUFPatterns(patterns: [llama3])),
            ("glm4 glm5", GGUFPatterns(patterns: [llama3], ignoresMerges: true)),
            (
                "qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2",
                GGUFPatterns(patterns: [qwen2])
            ),
            ("qwen35", GGUFPatterns(patterns: [qwen35])),
            ("tekken", GGUFPatterns(patterns: [tekken], ignoresMerges: true, addsBOS: true)),
            ("gpt-4o llama4 kanana2 talkie minimax-m2", GGUFPatterns(patterns: [gpt4o])),
            (
                "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert mpt olmo jais trillion "
                    + "granite-docling exaone4 jina-v1-en jina-v2-code roberta-bpe", GGUFPatterns(patterns: [gpt2])
            ),
            ("starcoder refact command-r smollm codeshell exaone minerva-7b mellum2", digitsFirst),
            (
                "falcon",
                GGUFPatterns(patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])
            ),
            ("deepseek-v3 hunyuan-dense joyai-llm hy_v4", deepseek3),
            (
                "deepseek-llm",
                GGUFPatterns(patterns: [
                    "[\r\n]", #"\s?"# + letters + "+", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#, chinese, #"\p{N}+"#,
                ])
            ),
            (
                "deepseek-coder",
                GGUFPatterns(patterns: ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, chinese, #"\p{N}"#])
            ),
            ("bloom poro-chat gpt3-finnish", bloom),
            ("viking", GGUFPatterns(patterns: bloom.patterns + [#"\p{N}"#])),
            (
                "seed-coder",
                GGUFPatterns(patterns: [
                    contractions
                        + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
                ])
            ),
            ("default", GGUFPatterns(patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"])),
        ]
        var all: [String: GGUFPatterns] = [:]
        for (names, patterns) in groups {
            for name in names.split(separator: " ") { all[String(name)] = patterns }
        }
        return all
    }()

    /// The pre-tokenizer of a tokenizer.json.
    var splits: [(pattern: String, behavior: String)] { patterns.map { ($0, "Isolated") } }
}
