import ApusTokenizers
import Testing

/// Conversations through chat templates. What templates make of them is tested in ApusTemplatesTests.
@Suite struct ChatTests {
    private static let control = #""added_tokens":[{"id":12,"content":"<x>","special":true,"normalized":false}],"#
    private static let template = """
        {%- for message in messages -%}
        <x>{{ message.role[0] }}{{ message.content }}
        {%- for call in message.tool_calls or [] %}{{ call.function.arguments.a }}{% endfor -%}
        {%- endfor -%}
        {%- if add_generation_prompt %}<x>a{% endif -%}
        """

    private func tokenizer(
        _ template: String = template, configuration: String? = nil, files: [String: String] = [:]
    ) throws -> Tokenizer {
        try TokenizerFixtures.load(
            TokenizerFixtures.tiny(Self.control), configuration: configuration,
            files: files.isEmpty && configuration == nil ? ["chat_template.jinja": template] : files)
    }

    @Test func controlTokensOfMessagesAreText() throws {
        let tokenizer = try tokenizer("<x>{% for message in messages %}{{ message.content }}<x>{% endfor %}")
        let messages: [ChatMessage] = [["role": "user", "content": "a<x>b"], ["role": "user", "content": "ab"]]
        #expect(try tokenizer.renderChatTemplate(messages) == "<x>a<x>b<x>ab<x>")
        // Letters that the vocabulary lacks are dropped: < and x and >.
        #expect(try tokenizer.applyChatTemplate(messages) == [12, 0, 1, 12, 8, 12])
        #expect(tokenizer.encode("<x>a<x>b<x>ab<x>") == [12, 0, 12, 1, 12, 8, 12])
    }

    /// Control tokens that no text contains are tokens where a template writes them, and nowhere else.
    @Test(arguments: ["tekken-files", "sentencepiece-bpe"])
    func templatesWriteWhatTextsCannot(_ name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        var request = ChatRequest(messages: [ChatMessage(role: "u", content: "a</s>").object])
        request.template = .text("<s>{{ messages[0].content }}</s>")
        let ids = try tokenizer.encode(tokenizer.render(request))
        #expect(ids.first == 1 && ids.last == 2)
        #expect(!ids.dropFirst().dropLast().contains { $0 < 3 })
        #expect(tokenizer.decode(Array(ids.dropFirst().dropLast())).hasSuffix("a</s>"))
        #expect(!tokenizer.encode("x<s></s>").dropFirst().contains { $0 < 3 })
    }

    @Test func anAnswerBeginsOrGoesOn() throws {
        let tokenizer = try tokenizer()
        let messages: [ChatMessage] = [["role": "f", "content": "ab"], ["role": "a", "content": " bc  "]]
        #expect(try tokenizer.renderChatTemplate(messages) == "<x>fab<x>a bc  ")
        #expect(try tokenizer.renderChatTemplate(messages, addGenerationPrompt: true) == "<x>fab<x>a bc  <x>a")
        let trimming = try self.tokenizer("{% for m in messages %}{{ m.content | trim }}<x>{% endfor %}")
        #expect(try trimming.renderChatTemplate(messages, continueFinalMessage: true) == "ab<x>bc")
        let error = #expect(throws: TokenizerError.self) {
            try tokenizer.applyChatTemplate(messages, addGenerationPrompt: true, continueFinalMessage: true)
        }
        #expect(error?.code == .invalidChat)
    }

    /// Integers beyond 64 bits are shown digit by digit; what cannot be computed with them is refused.
    @Test func largeIntegersStayWhole() throws {
        let arguments = #"{\"a\": [123456789012345678901234567890, -9223372036854775809]}"#
        let call = try ChatMessage(
            json: #"{"role": "a", "tool_calls": [{"function": {"name": "f", "arguments": "\#(arguments)"}}]}"#)
        let place = "messages[0].tool_calls[0].function.arguments.a"
        let text = try tokenizer("{{ \(place) | tojson }} {{ \(place)[0] }} {{ \(place)[1] is integer }}")
            .renderChatTemplate([call])
        #expect(text == "[123456789012345678901234567890, -9223372036854775809] 123456789012345678901234567890 True")
        let same = try tokenizer(
            "{{ \(place)[0] == \(place)[0] }} {{ \(place)[0] in \(place) }} {{ \(place)[0] | float }}")
        #expect(try same.renderChatTemplate([call]) == "True True 1.2345678901234568e+29")
        for wrong in ["\(place)[0] + 1", "\(place)[0] == 1.5", "\(place)[0] < 1", "\(place)[0] | abs", "1 / 0 | int"] {
            let computing = try tokenizer("{{ \(wrong) }}")
            #expect(throws: TokenizerError.self) { try computing.renderChatTemplate([call]) }
        }
    }

    @Test func messagesAreAsClientsWriteThem() throws {
        let tokenizer = try tokenizer()
        let call = try ChatMessage(
            json:
                #"{"role": "a", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 7}"}}]}"#
        )
        #expect(try tokenizer.renderChatTemplate([call]) == "<x>a7")
        let parts = try ChatMessage(
            json: #"{"role": "u", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}"#)
        let joining = try self.tokenizer("{{ messages[0].content.upper() }}")
        #expect(try joining.renderChatTemplate([parts]) == "A\nB")
        for bad in [
            #"{"role": "u", "content": [{"type": "image", "url": "x"}]}"#, #"{"role": "u", "content": 7}"#,
        ] {
            let error = try #require(throws: TokenizerError.self) {
                try tokenizer.renderChatTemplate([ChatMessage(json: bad)])
            }
            #expect(error.code == .invalidChat)
        }
        #expect(throws: TokenizerError.self) { try tokenizer.renderChatTemplate([]) }
        #expect(throws: TokenizerError.self) { try ChatMessage(json: "[1]") }
    }

    @Test func templatesAreFoundWhereTransformersDoes() throws {
        let messages: [ChatMessage] = [["role": "u", "content": "a"]]
        let named = #"{"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]}"#
        let several = try tokenizer(configuration: named)
        #expect(try several.renderChatTemplate(messages) == "d")
        #expect(try several.renderChatTemplate(messages, tools: ["{}"]) == "t")
        #expect(try several.renderChatTemplate(messages, template: "tool_use") == "t")
        #expect(throws: TokenizerError.self) { try several.renderChatTemplate(messages, template: "other") }
        let both = try tokenizer(configuration: named, files: ["chat_template.jinja": "j"])
        #expect(try both.renderChatTemplate(messages) == "j")
        let none = try tokenizer(configuration: "{}")
        let error = #expect(throws: TokenizerError.self) { try none.renderChatTemplate(messages) }
        #expect(error?.message == "the checkpoint has no chat template")
    }

    @Test func aTemplateThatFailsIsOneLine() throws {
        for template in ["{{ raise_exception('no\nway') }}", "{% if %}", "{{ messages[0].nothing.more }}"] {
            let tokenizer = try tokenizer(template)
            let error = try #require(throws: TokenizerError.self) {
                try tokenizer.renderChatTemplate([["role": "u", "content": "a"]])
            }
            #expect(error.code == .invalidChat)
            #expect(!error.message.contains("\n"))
        }
    }
}
