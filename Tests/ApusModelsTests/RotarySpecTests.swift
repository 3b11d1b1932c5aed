import ApusCheckpoints
import ApusJSON
import ApusModels
import Testing

@Suite struct RotarySpecTests {
    private func spec(_ json: String, headDim: Int = 64, maxPositions: Int = 2048) throws -> RotarySpec {
        let object = try #require(try JSONValue(parsing: json).object)
        return try RotarySpec(
            ConfigurationFile(file: "config.json", object: object), headDim: headDim, maxPositions: maxPositions)
    }

    @Test func readsOldAndNewKeys() throws {
        let old = try spec(#"{"rope_theta": 500000.0, "rope_scaling": {"type": "linear", "factor": 4.0}}"#)
        let new = try spec(#"{"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500000.0}}"#)
        #expect(old == new)
        #expect(old.scaling == .linear(factor: 4))
        #expect(try spec("{}").theta == 10_000)
    }

    @Test func dynamicScalingStartsBeyondTheContext() throws {
        let dynamic = try spec(#"{"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}"#)
        let plain = try spec("{}")
        #expect(dynamic.inverseFrequencies(length: 2048) == plain.inverseFrequencies())
        #expect(dynamic.inverseFrequencies(length: 2049) != plain.inverseFrequencies())
    }

    @Test(arguments: [
        #"{"rope_scaling": {"rope_type": "linear"}}"#,
        #"{"rope_scaling": {"rope_type": "linear", "factor": 0}}"#,
        #"{"rope_scaling": {"rope_type": "linear", "factor": "four"}}"#,
        #"{"rope_scaling": {"rope_type": "spiral", "factor": 2}}"#,
        #"{"rope_scaling": []}"#,
        #"{"rope_theta": -1}"#,
        #"{"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1}}"#,
    ])
    func refuses(_ json: String) {
        #expect(throws: CheckpointError.self) { try spec(json) }
    }
}
