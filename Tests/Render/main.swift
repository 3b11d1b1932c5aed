import ApusJSON
import ApusTemplates

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Renders templates for Tests/Parity/chat_templates.py: a line of JSON in, a line of JSON out.
while let line = readLine() {
    let answer: JSONObject
    do {
        let request = try JSONValue(parsing: line, keepsLargeIntegers: true)
        let limits = Limits(time: .milliseconds(request["milliseconds"]?.integer ?? 10_000))
        let template = try ChatTemplate(request["template"]?.string ?? "")
        let result = try template.renderMarked(request["variables"]?.object ?? [:], limits: limits)
        let ranges = result.given.map { JSONValue.array([.integer($0.lowerBound), .integer($0.upperBound)]) }
        answer = ["text": .string(result.text), "given": .array(ranges)]
    } catch let error as TemplateError {
        answer = ["error": .string("\(error)"), "kind": .string("\(error.kind)")]
    } catch {
        answer = ["error": .string("\(error)"), "kind": "request"]
    }
    print(JSONValue.object(answer).serialized)
    fflush(nil)
}
