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
        ("{}", 2048, 4096),
        (#"{"rope_scaling": {"type": "linear", "factor": 4.0}}"#, 8192, 8192),
        (#"{"rope_scaling": {"type": "dynamic", "factor": 2.5}}"#, 5120, 5120),
        (#"{"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}}"#, 8192, 8192),
        (#"{"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256}}"#, 2048, 2048),
        (
            #"{"rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}}"#, 2048,
            2048
        ),
        (#"{"rope_scaling": {"type": "su", "short_factor": [1, 1], "long_factor": [2, 2]}}"#, 2048, 2048),
        (#"{"rope_scaling": {"type": "linear", "factor": 1e300}}"#, 1 << 40, 1 << 40),
    ])
    func contextIsWhatTheScalingReaches(_ json: String, _ trained: Int, _ usual: Int) throws {
        let text = json == "{}" ? #""head_dim": 4"# : #""head_dim": 4, "# + json.dropFirst().dropLast()
        let object = try #require(
            try JSONValue(parsing: #"{"model_type": "llama", "max_position_embeddings": 2048, \#(text)}"#).object)
        let spec = try DecoderSpec(ConfigurationFile(file: "config.json", object: object))
        #expect(spec.trainedContextLength == trained)
        #expect(spec.defaultContextLength == usual)
    }

    @Test func longropeTurnsToItsLongFactorsBeyondTheOriginalContext() throws {
        let longrope = try spec(
            #"{"original_max_position_embeddings": 512, "rope_scaling": {"type": "longrope", "short_factor": [1, 2], "long_factor": [4, 8]}}"#,
            headDim: 4)
        let plain = try spec("{}", headDim: 4).inverseFrequencies()
        #expect(longrope.inverseFrequencies(length: 512) == [plain[0], plain[1] / 2])
        #expect(longrope.inverseFrequencies(length: 513) == [plain[0] / 4, plain[1] / 8])
        #expect(!longrope.dependsOnPositionOnly)
        #expect(abs(longrope.attentionFactor - Float((1 + 2.0 / 9).squareRoot())) < 1e-6)
    }

    @Test func proportionalTurnsTheFirstPairsOnly() throws {
        let some = try spec(
            #"{"rope_parameters": {"rope_type": "proportional", "partial_rotary_factor": 0.5, "factor": 2}}"#,
            headDim: 8)
        let plain = try spec("{}", headDim: 8).inverseFrequencies()
        #expect(some.inverseFrequencies() == [plain[0] / 2, plain[1] / 2, 0, 0])
    }

    @Test(arguments: [
        #"{"rope_scaling": {"rope_type": "longrope", "short_factor": [1, 2], "long_factor": [1]}}"#,
        #"{"rope_scaling": {"rope_type": "longrope", "short_factor": [1, -2], "long_factor": [1, 2]}}"#,
        #"{"rope_scaling": {"rope_type": "longrope"}}"#,
        #"{"rope_scaling": {"rope_type": "proportional", "partial_rotary_factor": 2}}"#,
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
