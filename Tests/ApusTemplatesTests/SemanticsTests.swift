import ApusJSON
import ApusTemplates
import ApusTestSupport
import FoundationEssentials
import Testing

/// Templates and what jinja2 makes of them (Tests/Fixtures/Templates/make.py).
@Suite struct SemanticsTests {
    @Test func rendersAsJinja() throws {
        let file = try Data(contentsOf: URL(filePath: "\(fixtures)/Templates/semantics.json"))
        let recorded = try JSONValue(parsing: String(decoding: file, as: UTF8.self))
        let variables = try #require(recorded["variables"]?.object)
        for entry in try #require(recorded["cases"]?.array) {
            let template = try #require(entry["template"]?.string)
            let text = try? ChatTemplate(template).render(variables)
            let expected = entry["text"]?.string
            #expect(text.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(template)")
        }
    }

    @Test func errorsNameLineAndReason() {
        func error(_ template: String) -> TemplateError? {
            do {
                _ = try ChatTemplate(template).render(["x": 1])
                return nil
            } catch {
                return error
            }
        }
        #expect(error("a\n{% include 'b' %}")?.kind == .unsupported)
        #expect(error("a\n{% include 'b' %}")?.line == 2)
        #expect(error("\n\n{{ raise_exception('not\nso') }}")?.description == "chat template, line 3: not\\u{a}so")
        #expect(error("{{ x|pprint }}")?.kind == .unsupported)
        #expect(error("{{ x + }}")?.kind == .syntax)
        #expect(error("{{ x.y.z }}")?.kind == .runtime)
        #expect(error("{{ 2 ** 64 }}")?.kind == .unsupported)
    }

    @Test func tellsTheTimeOfHere() throws {
        let text = try ChatTemplate("{{ strftime_now('%Y-%m-%d %f %%') }}").render([:])
        #expect(text.hasPrefix("20") && text.hasSuffix(" 000000 %") && text.utf8.count == 19)
    }
}
