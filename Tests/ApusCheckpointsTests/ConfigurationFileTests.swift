import ApusCheckpoints
import ApusTestSupport
import Testing

@Suite struct ConfigurationFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func read(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(path: directory.write("config.json", text))
    }

    @Test func readsTypedValues() throws {
        let file = try read(
            #"""
            {"hidden_size": 64, "rope_theta": 10000.0, "eps": 1e-05, "tie": true, "type": "llama", "none": null,
             "eos": 2, "eoss": [1, 2], "rope_scaling": {"factor": 8, "list": [1, 2.5]}, "arch": ["A", "B"]}
            """#)
        #expect(try file.int("hidden_size") == 64)
        #expect(try file.positive("hidden_size") == 64)
        #expect(try file.double("rope_theta") == 10000)
        #expect(try file.int("rope_theta") == 10000)
        #expect(try file.double("eps") == 1e-5)
        #expect(try file.bool("tie"))
        #expect(try file.string("type") == "llama")
        #expect(try file.strings("arch") == ["A", "B"])
        #expect(try file.integers("eos") == [2] && file.integers("eoss") == [1, 2] && file.integers("none") == [])
        #expect(try file.optionalInt("none") == nil && file.optionalObject("absent")?.place == nil)
        let scaling = try #require(try file.optionalObject("rope_scaling"))
        #expect(try scaling.double("factor") == 8 && scaling.optionalDoubles("list") == [1, 2.5])
        let error = try #require(throws: CheckpointError.self) { try scaling.string("factor") }
        #expect(error.message == "\(directory.path)/config.json: rope_scaling.factor: expected a string, got 8")
    }

    @Test func namesKeyExpectedAndGot() throws {
        let file = try read(#"{"a": "x", "b": 0, "c": -3, "d": 1e400, "e": [1, "x"], "f": 2.5, "g": 9999999999}"#)
        func message(_ body: () throws -> Any) throws -> String {
            try #require(throws: CheckpointError.self) { _ = try body() }.message
        }
        #expect(try message { try file.int("a") }.hasSuffix(#"a: expected an integer, got "x""#))
        #expect(try message { try file.int("zz") }.hasSuffix("zz: expected an integer, got nothing"))
        #expect(try message { try file.positive("b") }.hasSuffix("b: expected an integer from 1 to 1048576, got 0"))
        #expect(try message { try file.positive("c") }.hasSuffix("got -3"))
        #expect(try message { try file.positive("g") }.hasSuffix("got 9999999999"))
        #expect(try message { try file.positive("zz") }.hasSuffix("got nothing"))
        #expect(try message { try file.double("d") }.contains("d: expected a number"))
        #expect(try message { try file.integers("e") }.hasSuffix("got a list with a string"))
        #expect(try message { try file.int("f") }.hasSuffix("f: expected an integer, got 2.5"))
        #expect(try message { try file.bool("b") }.hasSuffix("b: expected true or false, got 0"))
        #expect(try message { try file.optionalObject("a") as Any }.hasSuffix(#"a: expected an object, got "x""#))
    }

    @Test func absentFilesAreOptionalOnly() throws {
        #expect(try ConfigurationFile(optionalPath: directory.path + "/none.json")?.file == nil)
        #expect(throws: CheckpointError.self) { try ConfigurationFile(path: directory.path + "/none.json") }
        for text in ["", "[]", "{\"a\":1,\"a\":2}", "{\"a\":"] {
            let path = try directory.write("config.json", text)
            #expect(throws: CheckpointError.self) { try ConfigurationFile(optionalPath: path) }
        }
    }
}
