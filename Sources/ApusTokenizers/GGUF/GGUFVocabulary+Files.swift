import ApusCheckpoints
import ApusJSON

/// The tokenizer of a GGUF file as the files of a checkpoint directory.
package enum GGUFTokenizerFiles {
    /// tokenizer.json and tokenizer_config.json, which has the chat template; none for what is no such file, or has no tokenizer
    /// that such files can describe. Throws `TokenizerError`.
    package static func of(_ path: String) throws -> [(name: String, text: String)] {
        guard GGUFFile.isOne(path), let vocabulary = try GGUFVocabulary(path: path),
            let model = try vocabulary.tokenizerJSON()
        else { return [] }
        let settings = try vocabulary.tokenizerSettings()
        return [
            ("tokenizer.json", JSONValue.object(model).serialized + "\n"),
            ("tokenizer_config.json", JSONValue.object(settings).indented + "\n"),
        ]
    }
}

extension GGUFTokenizerFiles {
    /// What was assumed of a file that does not say how its texts are split; `nil` for others.
    package static func remark(on path: String) throws -> String? {
        guard GGUFFile.isOne(path) else { return nil }
        // The vocabulary itself, which is long, is not asked for.
        let file = try GGUFFile(path: path)
        guard try file.value("tokenizer.ggml.model")?.string == "gpt2", try file.value("tokenizer.ggml.pre") == nil
        else {
            return nil
        }
        let assumed = GGUFPatterns.assumed
        return "\(path): has no tokenizer.ggml.pre; texts are split as '\(assumed)' says, "
            + "unless --override-kv tokenizer.ggml.pre=str:NAME names another way"
    }
}

extension GGUFVocabulary {
    /// What tokenizer.json says of the same tokenizer, the special tokens around texts in it; `nil` for one of SentencePiece's
    /// Unigram models.
    fileprivate func tokenizerJSON() throws(TokenizerError) -> JSONObject? {
        guard var root = try model == "llama" ? mergedPieces() : configurationRoot() else { return nil }
        let ends = try ends()
        let (bos, eos) = (ends.hasBOS ? try token("bos") : nil, ends.hasEOS ? try token("eos") : nil)
        guard bos != nil || eos != nil else { return root }
        func piece(_ token: (id: Int, text: String), _ type: Int) -> JSONValue {
            ["SpecialToken": ["id": .string(token.text), "type_id": .integer(type)]]
        }
        func template(_ texts: [String]) -> JSONValue {
            .array(
                texts.enumerated().flatMap { type, text -> [JSONValue] in
                    (bos.map { [piece($0, type)] } ?? []) + [
                        ["Sequence": ["id": .string(text), "type_id": .integer(type)]]
                    ]
                        + (eos.map { [piece($0, type)] } ?? [])
                })
        }
        let tokens = [bos, eos].compactMap(\.self).map { token in
            JSONObject.Member(
                key: token.text,
                value: ["id": .string(token.text), "ids": [.integer(token.id)], "tokens": [.string(token.text)]])
        }
        root = JSONObject(root.members.filter { $0.key != "post_processor" })
        root.append(
            "post_processor",
            [
                "type": "TemplateProcessing", "single": template(["A"]), "pair": template(["A", "B"]),
                "special_tokens": .object(JSONObject(tokens)),
            ])
        return root
    }

    fileprivate func tokenizerSettings() throws(TokenizerError) -> JSONObject {
        let ends = try ends()
        var object: JSONObject = [
            "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false,
            "add_bos_token": .bool(ends.hasBOS), "add_eos_token": .bool(ends.hasEOS),
        ]
        for (key, theirs) in Self.specialNames {
            if let token = try token(theirs) { object.append(key, .string(token.text)) }
        }
        let templates = try templates()
        if templates.count == 1, templates[0].name == "default" {
            object.append("chat_template", .string(templates[0].text))
        } else if !templates.isEmpty {
            object.append(
                "chat_template",
                .array(templates.map { ["name": .string($0.name), "template": .string($0.text)] }))
        }
        return object
    }

    private func token(_ name: String) throws(TokenizerError) -> (id: Int, text: String)? {
        guard let text = try self.name(name), let id = try value("\(name)_token_id")?.integer else { return nil }
        return (id, text)
    }

    /// A model of SentencePiece's BPE: two pieces merge where both together are one, the one of the highest score first, as
    /// transformers turns such models into merges.
    private func mergedPieces() throws(TokenizerError) -> JSONObject {
        let scores = try value("scores")?.array?.map { $0.double ?? 0 } ?? []
        var ids: [String: Int] = [:]
        for (id, token) in tokens.enumerated() where ids[token] == nil { ids[token] = id }
        struct Merge {
            let left, right: String
            let score: Double
            let lengths: (Int, Int)
        }
        var merges: [Merge] = []
        for (id, token) in tokens.enumerated() where kinds[id] == .normal && id < scores.count {
            let scalars = Array(token.unicodeScalars)
            guard scalars.count > 1 else { continue }
            var own: [(Int, Int, Merge)] = []
            for cut in 1..<scalars.count {
                var (left, right) = (String.UnicodeScalarView(), String.UnicodeScalarView())
                left.append(contentsOf: scalars[..<cut])
                right.append(contentsOf: scalars[cut...])
                guard let first = ids[String(left)], let second = ids[String(right)] else { continue }
                own.append(
                    (
                        first, second,
                        Merge(
                            left: String(left), right: String(right), score: scores[id],
                            lengths: (cut, scalars.count - cut))
                    ))
            }
            merges += own.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        }
        let order = merges.indices.sorted { left, right in
            let (one, other) = (merges[left], merges[right])
            if one.score != other.score { return one.score > other.score }
            return one.lengths == other.lengths ? left < right : one.lengths > other.lengths
        }
        let addsSpace = try value("add_space_prefix")?.bool ?? true
        let replace: JSONValue = ["type": "Replace", "pattern": ["String": " "], "content": "▁"]
        let prepend: [JSONValue] = addsSpace ? [["type": "Prepend", "prepend": "▁"]] : []
        let strip: [JSONValue] = addsSpace ? [["type": "Strip", "content": " ", "start": 1, "stop": 0]] : []
        let back: [JSONValue] = [
            ["type": "Replace", "pattern": ["String": "▁"], "content": " "], ["type": "ByteFallback"], ["type": "Fuse"],
        ]
        return [
            "version": "1.0", "added_tokens": addedTokens,
            "normalizer": ["type": "Sequence", "normalizers": .array(prepend + [replace])],
            "pre_tokenizer": .null, "post_processor": .null,
            "decoder": ["type": "Sequence", "decoders": .array(back + strip)],
            "model": [
                "type": "BPE", "vocab": vocabulary,
                "merges": .array(order.map { [.string(merges[$0].left), .string(merges[$0].right)] }),
                "byte_fallback": .bool(kinds.contains(.byte)), "fuse_unk": true,
                "unk_token": try name("unknown").map { .string($0) } ?? .null,
            ],
        ]
    }
}
