import ApusJSON

/// Changes a document that stays JSON, to reach what lies behind the parser.
enum JSONMutator {
    private static let strings = [
        "", "\u{0}", "..", "../../etc/passwd", "F32", "F64", "BF16", "I8", "U64", "F4", "BOOL", "Ġ", "▁", "a", "é",
        "e\u{301}", "<0x41>", "<0xFF>", "<s>", "</s>", "Sequence", "BPE", "Unigram", "WordPiece", "WordLevel",
        "ByteLevel",
        "Metaspace", "Split", "Replace", "Prepend", "Strip", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Digits",
        "Punctuation", "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "TemplateProcessing", "ByteFallback",
        "Fuse",
        "BPEDecoder", "CTC", "Isolated", "Removed", "MergedWithNext", "MergedWithPrevious", "Contiguous", "always",
        "never", "first", "left", "right", "(a+)+$", "(a|aa)+b", "(?:(?:a*)*)*b", "(\\s*)*\\s+$", "a{1000}{1000}",
        "[", "(?<!a)b", "\\p{L}{0,100000}", "(((((((((((", ".*.*.*.*x", "x?", "(?i)", "llama", "linear", "yarn",
        "dynamic", "llama3", "LlamaForCausalLM", "silu", "gelu", "bfloat16", "float16", "model.safetensors", "$A",
        "$B:1",
    ]
    private static let numbers: [JSONValue] = [
        0, 1, -1, 2, 3, 7, 64, 255, 256, 65_536, 1_048_576, 1_048_577, 2_147_483_647, 2_147_483_648, 4_294_967_296,
        .integer(.max), .integer(.min), .integer(1 << 62), 0.5, -0.5, 1e-300, 1e308, 1.5, 1e30,
    ]

    static func mutate(_ value: inout JSONValue, _ random: inout FuzzRandom) {
        switch value {
        case .object(let object) where !object.isEmpty && random.chance(80):
            var members = object.members
            let index = random.below(members.count)
            if random.chance(85) {
                mutate(&members[index].value, &random)
            } else {
                rearrange(&members, index, &random)
            }
            value = .object(JSONObject(members))
        case .array(var elements) where !elements.isEmpty && random.chance(80):
            let index = random.below(elements.count)
            if random.chance(80) {
                mutate(&elements[index], &random)
            } else {
                rearrange(&elements, index, &random)
            }
            value = .array(elements)
        default: replace(&value, &random)
        }
    }

    private static func rearrange<Element>(_ elements: inout [Element], _ index: Int, _ random: inout FuzzRandom) {
        switch random.below(4) {
        case 0: elements.remove(at: index)
        case 1: elements.append(elements[index])
        case 2: elements.swapAt(index, random.below(elements.count))
        default: elements.removeSubrange(index...)
        }
    }

    private static func replace(_ value: inout JSONValue, _ random: inout FuzzRandom) {
        switch (value, random.below(8)) {
        case (.string(let text), 0...4): value = .string(changed(text, &random))
        case (.integer(let number), 0...4):
            let near = number.addingReportingOverflow(random.below(5) - 2).partialValue
            value = random.chance(50) ? .integer(near) : random.pick(numbers)
        case (.bool(let flag), 0...4): value = .bool(!flag)
        case (_, 5):
            for _ in 0..<(random.chance(50) ? 1 : random.below(300)) {
                value = random.chance(50) ? .array([value]) : .object(JSONObject([.init(key: "a", value: value)]))
            }
        case (_, 6): value = random.pick([.null, [:], [], .array([value, value]), true, false, "", 0])
        default: value = random.chance(50) ? random.pick(numbers) : .string(random.pick(strings))
        }
    }

    private static func changed(_ text: String, _ random: inout FuzzRandom) -> String {
        switch random.below(5) {
        case 0: return String(text.unicodeScalars.dropLast(1 + random.below(3)).map(Character.init))
        case 1: return text + random.pick(strings)
        case 2: return String(repeating: text, count: 1 + random.length(upTo: 500))
        case 3:
            var scalars = Array(text.unicodeScalars)
            guard !scalars.isEmpty else { return "x" }
            scalars[random.below(scalars.count)] = Unicode.Scalar(UInt32(random.below(0xD800))) ?? "?"
            return scalars.reduce(into: "") { $0.unicodeScalars.append($1) }
        default: return random.pick(strings)
        }
    }
}
