import ApusJSON
import Testing

@Suite struct JSONTests {
    @Test func keepsOrderAndKinds() throws {
        let text = #"{"z":[1,-2.5,true,null],"a":{"é\n\u0001":"\ud83d\ude00/"}}"#
        let value = try JSONValue(parsing: text)
        #expect(value["z"]?.array == [1, -2.5, true, nil])
        #expect(value["a"]?["é\n\u{1}"] == "😀/")
        #expect(value.serialized == #"{"z":[1,-2.5,true,null],"a":{"é\n\u0001":"😀/"}}"#)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\" 1}", "01", "1.", "-", "\"\\ud800\"", "\"\\x\"", "\"\n\"", "nul", "1 2", "{\"a\":}",
        String(repeating: "[", count: 300),
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func refusesTextThatIsNotUTF8() {
        let bytes: [UInt8] = [0x22, 0xFF, 0x22]
        #expect(throws: JSONError.self) { try bytes.withUnsafeBytes { try JSONValue(parsing: $0) } }
    }

    @Test func findsDuplicates() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#).object?.duplicateKey == "a")
        #expect(try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#)["a"] == 3)
        let many = "{" + (0..<100).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        #expect(try JSONValue(parsing: many)["k57"] == 57)
    }

    @Test func tellsCanonicallyEquivalentKeysApart() throws {
        let members = ["\u{e9}", "e\u{301}"] + (0..<20).map(String.init)
        let text = JSONValue.object(JSONObject(members.enumerated().map { .init(key: $1, value: .integer($0)) }))
        let value = try JSONValue(parsing: text.serialized)
        #expect(value["\u{e9}"] == 0)
        #expect(value["e\u{301}"] == 1)
        #expect(value.object?.duplicateKey == nil)
    }

    @Test func readsNumbersOfAllSizes() throws {
        #expect(try JSONValue(parsing: "9223372036854775807").integer == Int.max)
        #expect(try JSONValue(parsing: "9223372036854775808").integer == nil)
        #expect(try JSONValue(parsing: "1e400").double == .infinity)
        #expect(try JSONValue(parsing: "10000.0").integer == 10000)
    }

    /// What `tokenizers` 0.23.3 says it has read: some are not the nearest.
    @Test(arguments: [
        ("-12.600896669038415", -12.600896669038416 as Double, false),
        ("-18.689422815203738", -18.689422815203734, false),
        ("-13.974646809685753", -13.974646809685751, false), ("0.1", 0.1, true), ("1e-5", 1e-05, true),
        ("-12345678901234567890123.25", -1.2345678901234568e+22, true),
        ("-0.12345678901234567890123456", -0.12345678901234568, true), ("1E-400", 0, true), ("-0.0", 0, true),
        ("1.7976931348623157e308", 1.7976931348623157e+308, true), ("-4.9e-324", -5e-324, true),
        ("2.2250738585072011e-308", 2.2250738585072014e-308, false), ("1e23", 1e+23, true),
        ("123456789.123456789e15", 1.234567891234568e+23, true),
        ("0.000000000000000000000000000000000000000012345678901234567", 1.2345678901234568e-41, false),
    ])
    func readsFloatsAsSerdeDoes(_ text: String, _ expected: Double, _ isNearest: Bool) throws {
        var copy = text
        let value = try copy.withUTF8 { try JSONValue(parsing: UnsafeRawBufferPointer($0), readsAsSerde: true) }
        #expect(value.double == expected)
        #expect((try JSONValue(parsing: text).double == expected) == isNearest)
    }
}
