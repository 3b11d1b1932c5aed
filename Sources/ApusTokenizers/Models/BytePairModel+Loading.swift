import ApusJSON

extension BytePairModel {
    /// Reads the `model` of a tokenizer.json.
    convenience init(_ configuration: ComponentConfiguration, isByteLevel: Bool) throws(TokenizerError) {
        if let dropout = configuration.optional("dropout"), dropout.double != 0 {
            throw .unsupported("\(configuration.place): dropout is for training; only null or 0 can be used here")
        }
        let vocabulary = try configuration.vocabulary()
        var options = Options()
        options.fusesUnknown = try configuration.bool("fuse_unk", default: false)
        options.fallsBackToBytes = try configuration.bool("byte_fallback", default: false)
        options.ignoresMerges = try configuration.bool("ignore_merges", default: false)
        options.continuingPrefix = Array((try configuration.optionalString("continuing_subword_prefix") ?? "").utf8)
        options.wordSuffix = Array((try configuration.optionalString("end_of_word_suffix") ?? "").utf8)
        if let unknown = try configuration.optionalString("unk_token") {
            options.unknownToken = vocabulary.id(for: Array(unknown.utf8))
        }
        let merges = try Self.readMerges(configuration, vocabulary, prefixLength: options.continuingPrefix.count)
        self.init(
            vocabulary: vocabulary, merges: merges, options: options,
            readsBytes: isByteLevel && Self.canReadBytes(options))
    }

    private static func readMerges(
        _ configuration: ComponentConfiguration, _ vocabulary: Vocabulary, prefixLength: Int
    ) throws(TokenizerError) -> MergeTable {
        let lines = try configuration.array("merges")
        // Collected first: a table as large as the list asks for is made for a list that is sound.
        var merges: [(left: UInt32, right: UInt32, id: UInt32)] = []
        var joined: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if let text = line.string, text.utf8.starts(with: "#version".utf8) { continue }
            guard let leftLength = join(line, into: &joined) else {
                throw .malformed("\(configuration.place).merges[\(index)] must be two tokens")
            }
            func token(_ range: Range<Int>) throws(TokenizerError) -> UInt32 {
                let id = joined.withUnsafeBufferPointer {
                    vocabulary.id(for: UnsafeBufferPointer(rebasing: $0[range]))
                }
                guard let id else {
                    let name = String(decoding: joined[range], as: UTF8.self).excerpt
                    throw .malformed(
                        "\(configuration.place).merges[\(index)] needs the token \"\(name)\", which the vocabulary lacks"
                    )
                }
                return id
            }
            let left = try token(0..<leftLength)
            let right = try token(leftLength..<joined.count)
            if prefixLength > 0 {
                joined.removeSubrange(leftLength..<min(leftLength + prefixLength, joined.count))
            }
            merges.append((left, right, try token(0..<joined.count)))
        }
        var table = MergeTable(capacity: merges.count)
        for (rank, merge) in merges.enumerated() {
            table.insert(merge.left, merge.right, rank: UInt32(clamping: rank), id: merge.id)
        }
        return table
    }

    /// Writes the two tokens of `"a b"` or `["a", "b"]` one after the other; gives the first one's length.
    private static func join(_ line: JSONValue, into joined: inout [UInt8]) -> Int? {
        joined.removeAll(keepingCapacity: true)
        if let text = line.string {
            joined.append(contentsOf: text.utf8)
            guard let space = joined.firstIndex(of: 0x20), joined.lastIndex(of: 0x20) == space else { return nil }
            joined.remove(at: space)
            return space
        }
        guard let parts = line.array, parts.count == 2, let left = parts[0].string, let right = parts[1].string
        else { return nil }
        joined.append(contentsOf: left.utf8)
        let leftLength = joined.count
        joined.append(contentsOf: right.utf8)
        return leftLength
    }
}

extension String {
    /// The text cut to what fits into a message.
    var excerpt: String { count > 60 ? "\(prefix(60))…" : self }
}
