import ApusJSON
import ApusTemplates
import Testing

/// Templates that ask for more than there is: each ends soon, with one error.
@Suite struct LimitTests {
    private static let brackets = String(repeating: "[", count: 100_000)

    @Test(arguments: [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(s=1) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = ns.s|map('trim') %}{% endfor %}",
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% for i in range(100000) %}{{ 'a' * 1000 }}{% endfor %}",
        "{{ 'a' * 10 ** 12 }}", "{{ [1] * 10 ** 12 }}", "{{ 'a'.center(10 ** 12) }}", "{{ '%999999999d' % 1 }}",
        "{{ ('a' * 9000000 ~ 'b') in 'a' * 20000000 }}", "{{ ('a' * 1000000)|replace('', 'b' * 1000000) }}",
        "{{ \(brackets)", "{{ \(String(repeating: "not ", count: 100_000)) 1 }}",
        "{{ 1\(String(repeating: " + 1", count: 100_000)) }}", "{{ x\(String(repeating: ".a", count: 100_000)) }}",
        String(repeating: "{% if x %}", count: 100_000),
    ])
    func endsSoon(_ template: String) {
        let start = ContinuousClock.now
        do {
            let text = try ChatTemplate(template).render([:], limits: Limits(time: .seconds(1)))
            Issue.record("a text of \(text.utf8.count) bytes: \(template.prefix(80))")
        } catch {
            #expect(error.kind == .limit, "\(error): \(template.prefix(80))")
        }
        // Unbounded, each would take minutes at least; other tests share the cores.
        #expect(ContinuousClock.now - start < .seconds(20), "\(template.prefix(80))")
    }

    @Test(arguments: [
        "{% for i in range(10 ** 9) %}x{% endfor %}", "{{ 9223372036854775807 + 1 }}", "{{ 99999999999999999999 }}",
    ])
    func refusesWhatIsTooLarge(_ template: String) {
        #expect(throws: TemplateError.self) { try ChatTemplate(template).render([:]) }
    }

    @Test func boundsTheText() throws {
        let template = try ChatTemplate("{{ 'é' * 60 }}")
        #expect(try template.render([:], limits: Limits(outputByteCount: 120)).utf8.count == 120)
        #expect(throws: TemplateError.self) { try template.render([:], limits: Limits(outputByteCount: 119)) }
    }
}
