package import ApusJSON
package import ApusTemplates

extension Tokenizer {
    /// Of the checkpoint's own; a single one is called "default".
    package var chatTemplateNames: [String] { chatTemplates.names }

    /// The token ids of a conversation in the form that the model was trained on, by the checkpoint's chat template.
    ///
    /// Control tokens inside the strings of messages are text, whatever they spell (what transformers calls
    /// `sanitize_control_tokens`); those that the template writes are tokens. Nothing else is put around.
    ///
    /// - Parameters:
    ///   - tools: functions that the model may call, each a JSON object.
    ///   - addGenerationPrompt: whether the start of an answer follows.
    ///   - continueFinalMessage: whether the last message stays open, for the model to go on with it.
    ///   - template: the name of a template, where the checkpoint has several.
    /// - Throws: ``TokenizerError`` (`.invalidChat`) if there is no template, if it does not take the conversation, or takes
    ///   more than 10 s, 16 MB of text or 256 MB of memory.
    public func applyChatTemplate(
        _ messages: [ChatMessage], tools: [String] = [], addGenerationPrompt: Bool = false,
        continueFinalMessage: Bool = false, template: String? = nil
    ) throws(TokenizerError) -> [Int] {
        try encode(
            try render(try request(messages, tools, addGenerationPrompt, continueFinalMessage, template)))
    }

    /// The text of a conversation by the checkpoint's chat template: see ``applyChatTemplate(_:tools:addGenerationPrompt:continueFinalMessage:template:)``.
    public func renderChatTemplate(
        _ messages: [ChatMessage], tools: [String] = [], addGenerationPrompt: Bool = false,
        continueFinalMessage: Bool = false, template: String? = nil
    ) throws(TokenizerError) -> String {
        try render(try request(messages, tools, addGenerationPrompt, continueFinalMessage, template)).text
    }

    private func request(
        _ messages: [ChatMessage], _ tools: [String], _ adds: Bool, _ continues: Bool, _ template: String?
    ) throws(TokenizerError) -> ChatRequest {
        var request = ChatRequest(messages: messages.map(\.object))
        var objects: [JSONValue] = []
        for tool in tools { objects.append(.object(try ChatRequest.object(tool, "a tool"))) }
        request.tools = objects.isEmpty ? nil : objects
        request.addsGenerationPrompt = adds
        request.continuesFinalMessage = continues
        request.template = template.map { .named($0) }
        return request
    }
}

/// The text of a conversation, and which parts of it are text whatever they spell.
package struct RenderedChat: Sendable {
    package let utf8: [UInt8]
    /// Control tokens inside the strings of messages.
    let quoted: [(range: Range<Int>, id: UInt32)]

    package var text: String { String(decoding: utf8, as: UTF8.self) }
}

extension Tokenizer {
    /// Whether there is a template for a conversation, and can be read. Throws `TokenizerError` (`.invalidChat`).
    package func checkTemplate(_ choice: ChatRequest.Template?) throws(TokenizerError) {
        _ = try template(choice, hasTools: false)
    }

    /// Throws `TokenizerError` (`.invalidChat`).
    package func render(_ request: ChatRequest) throws(TokenizerError) -> RenderedChat {
        guard !(request.addsGenerationPrompt && request.continuesFinalMessage) else {
            throw .invalidChat("add_generation_prompt and continue_final_message exclude each other")
        }
        let template = try template(request.template, hasTools: request.tools != nil)
        let conversation = try Conversation(request.messages)
        do {
            do {
                return try render(conversation, request, template)
            } catch let error as TemplateError {
                // Some templates take no parts.
                guard let joined = conversation.joined else { throw error }
                return try render(joined, request, template)
            }
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw .invalidChat("\(error)")
        }
    }

    private func template(
        _ choice: ChatRequest.Template?, hasTools: Bool
    ) throws(TokenizerError) -> ChatTemplates.Parsed {
        try chatTemplates.template(choice, hasTools: hasTools) { controlTokens(of: $0) }
    }

    /// Throws `TemplateError`, and `TokenizerError` for a last message that cannot be continued.
    private func render(
        _ conversation: Conversation, _ request: ChatRequest, _ template: ChatTemplates.Parsed
    ) throws -> RenderedChat {
        let open = request.continuesFinalMessage ? try conversation.marked() : nil
        var variables = JSONObject(namedTokens.map { .init(key: $0.name, value: .string($0.token)) })
        variables.append("messages", .array((open?.conversation ?? conversation).messages.map { .object($0) }))
        variables.append("tools", request.tools.map { .array($0) } ?? .null)
        variables.append("documents", .null)
        variables.append("add_generation_prompt", .bool(request.addsGenerationPrompt))
        let own = Set(request.variables.members.map { ExactString($0.key) })
        variables = JSONObject(
            variables.members.filter { !own.contains(ExactString($0.key)) } + request.variables.members)
        let names = Set(["messages", "tools", "documents"]).union(request.variables.members.map(\.key))
        var marked = try template.template.renderMarked(variables, marking: names)
        if let open {
            guard let cut = marked.cut(at: Conversation.mark, behind: open.text) else {
                throw TokenizerError.invalidChat(
                    "the chat template does not keep the last message, which was to be continued")
            }
            marked = cut
        }
        return RenderedChat(utf8: marked.utf8, quoted: template.controls.matches(in: marked))
    }

    /// The ids of a rendered conversation. Throws `invalidChat` if the model's own vocabulary makes a control token of text.
    package func encode(_ chat: RenderedChat) throws(TokenizerError) -> [Int] {
        guard !chat.quoted.isEmpty || controls != nil else { return tokenize(chat.text) }
        let newline = tokenize("\n")
        var ids: [Int] = []
        var end = 0
        // As transformers does: behind a line break, so that nothing is put before the start of a text, where that can be
        // taken off again.
        func append(_ range: Range<Int>, isText: Bool) -> [Int] {
            let piece = String(decoding: chat.utf8[range], as: UTF8.self)
            if !isText, controls != nil { return tokenizeWithControls(piece) }
            func encoded(_ text: String) -> [Int] { isText ? tokenizePlain(text) : tokenize(text) }
            guard range.lowerBound > 0 else { return encoded(piece) }
            let behind = encoded("\n" + piece)
            return behind.starts(with: newline) ? Array(behind.dropFirst(newline.count)) : encoded(piece)
        }
        for (range, id) in chat.quoted {
            if end < range.lowerBound { ids += append(end..<range.lowerBound, isText: false) }
            let plain = append(range, isText: true)
            guard !plain.contains(Int(id)) else {
                let token = String(decoding: chat.utf8[range], as: UTF8.self)
                throw .invalidChat(
                    "\(token.quoted) in a message cannot be text: the vocabulary makes a control token of it")
            }
            ids += plain
            end = range.upperBound
        }
        if end < chat.utf8.count { ids += append(end..<chat.utf8.count, isText: false) }
        return ids
    }
}

extension Tokenizer {
    /// Finds what a template may write and messages may not: special tokens, others that stand in the template, and what the
    /// vocabulary's own file calls control.
    private func controlTokens(of template: String) -> AhoCorasick {
        let added = added.tokens.filter { _, token in
            token.isSpecial || (template.contains(token.content) && !token.content.allSatisfy(\.isWhitespace))
        }
        return AhoCorasick(
            added.sorted { $0.key < $1.key }.map { (Array($0.value.content.utf8), $0.key) } + ownControls)
    }

    /// Control tokens of the vocabulary's own file, and the texts between them as the vocabulary has texts.
    private func tokenizeWithControls(_ text: String) -> [Int] {
        guard let controls else { return tokenize(text) }
        let bytes = Array(text.utf8)
        var ids: [Int] = []
        var end = 0
        bytes.withUnsafeBufferPointer { utf8 in
            controls.forEachMatch(in: utf8) { match, id in
                if end < match.lowerBound {
                    ids += tokenize(String(decoding: utf8[end..<match.lowerBound], as: UTF8.self))
                }
                ids.append(Int(id))
                end = match.upperBound
            }
            if end < utf8.count { ids += tokenize(String(decoding: utf8[end...], as: UTF8.self)) }
        }
        return ids
    }
}

extension AhoCorasick {
    /// What stands in what messages say.
    fileprivate func matches(in chat: MarkedText) -> [(range: Range<Int>, id: UInt32)] {
        var found: [(range: Range<Int>, id: UInt32)] = []
        for range in chat.given {
            chat.utf8[range].withUnsafeBufferPointer { text in
                forEachMatch(in: text) { match, id in
                    found.append((range.lowerBound + match.lowerBound..<range.lowerBound + match.upperBound, id))
                }
            }
        }
        return found
    }
}

extension MarkedText {
    /// The text up to the last mark, `nil` if there is none or the text before it was not kept.
    fileprivate func cut(at mark: String, behind text: String) -> MarkedText? {
        let whole = Array(mark.utf8)
        let bare = whole.dropLast()
        guard utf8.count >= bare.count,
            let place = (0...(utf8.count - bare.count)).last(where: { utf8[$0...].starts(with: bare) }),
            self.text.contains(text.trimmed)
        else { return nil }
        var end = place
        // Where the template has trimmed the message, its end has no white space either.
        if !utf8[place...].starts(with: whole) {
            let kept = String(decoding: utf8[..<place], as: UTF8.self).unicodeScalars
            let last = kept.lastIndex { !$0.properties.isWhitespace }
            end = last.map { String(kept[...$0]).utf8.count } ?? 0
        }
        return MarkedText(
            utf8: Array(utf8[..<end]),
            given: given.compactMap { $0.lowerBound < end ? $0.lowerBound..<min($0.upperBound, end) : nil })
    }
}

extension String {
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
