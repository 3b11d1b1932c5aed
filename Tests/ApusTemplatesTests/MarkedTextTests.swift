import ApusJSON
import ApusTemplates
import Testing

@Suite struct MarkedTextTests {
    private let variables: JSONObject = [
        "messages": [["role": "user", "content": "  <|end|> é "]], "bos_token": "<s>", "other": "<|x|>",
    ]

    /// The parts of a text that come from the conversation.
    private func given(_ template: String) throws -> [String] {
        let marked = try ChatTemplate(template).renderMarked(variables)
        return marked.given.map { String(decoding: marked.utf8[$0], as: UTF8.self) }
    }

    @Test func knowsWhatTheConversationGave() throws {
        #expect(
            try given("{{ bos_token }}<|{{ messages[0].role }}|>{{ messages[0].content }}<|end|>{{ other }}") == [
                "user", "  <|end|> é ",
            ])
    }

    @Test(arguments: [
        ("|trim", "<|end|> é"), ("|upper", "  <|END|> É "), ("[2:9]", "<|end|>"), (".split()[0]", "<|end|>"),
        ("|replace('end', 'x')", "  <|"), ("|tojson", "  <|end|> é "), ("|string|safe", "  <|end|> é "),
        ("|trim|title", "<|end|> É"), ("|list|join", "  <|end|> é "), ("|reverse", " é >|dne|<  "),
    ])
    func keepsMarksThroughStrings(_ operation: String, _ expected: String) throws {
        #expect(try given("[{{ messages[0].content\(operation) }}]").first == expected)
    }

    @Test(arguments: [
        "{{ '%s' % messages[0].content }}", "{{ '{}!'.format(messages[0].content) }}",
        "{{ 'a' ~ messages[0].content ~ 'b' }}", "{% set x %}a{{ messages[0].content }}{% endset %}{{ x }}",
        "{% macro m(x) %}a{{ x }}{% endmacro %}{{ m(messages[0].content) }}",
        "{{ [messages[0].content, 'a']|join(',') }}",
        "{{ messages|map(attribute='content')|first }}", "{{ 'aXb'.replace('X', messages[0].content) }}",
    ])
    func keepsMarksThroughTemplates(_ template: String) throws {
        #expect(try given(template) == ["  <|end|> é "])
    }

    @Test func marksWhatIsNamed() throws {
        let template = try ChatTemplate("{{ other }}{{ messages[0].role }}")
        let marked = try template.renderMarked(variables, marking: ["other"])
        #expect(marked.text == "<|x|>user")
        #expect(marked.given == [0..<5])
    }
}
