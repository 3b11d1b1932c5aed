import ApusCheckpoints
import ApusTestSupport
import Testing

@Suite struct WeightCursorTests {
    let directory: TemporaryDirectory
    let weights: WeightCursor

    init() throws {
        directory = try TemporaryDirectory()
        var builder = SafetensorsBuilder()
        builder.add("model.layers.3.q.weight", [1, 2, 3, 4, 5, 6], shape: [2, 3])
        builder.add("model.layers.30.q.weight", [1])
        builder.add("lm_head.weight", [1])
        builder.add("extra", [1])
        try directory.write("model.safetensors", builder.bytes)
        weights = WeightCursor(try Checkpoint(directory: directory.path))
    }

    @Test func walksNames() throws {
        let layer = weights["model"]["layers"][3]
        #expect(try layer["q"].tensor("weight", shape: [2, 3]).byteCount == 24)
        #expect(try weights.tensor("lm_head.weight", shape: [1]).name == "lm_head.weight")
        #expect(layer["q"].contains("weight") && !layer["k"].contains("weight"))
        #expect(weights.unusedNames == ["extra", "model.layers.30.q.weight"])
        weights.ignore("extra")
        #expect(weights.unusedNames == ["model.layers.30.q.weight"])
        #expect(layer.unusedNames == [])
    }

    @Test func namesMissingAndMisshapenTensors() throws {
        let q = weights["model"]["layers"][3]["q"]
        let missing = try #require(throws: CheckpointError.self) { try q.tensor("bias", shape: [3]) }
        #expect(missing.message == #"\#(directory.path): lacks the tensor "model.layers.3.q.bias" of shape [3]"#)
        let wrong = try #require(throws: CheckpointError.self) { try q.optionalTensor("weight", shape: [3, 2]) }
        #expect(wrong.message.contains(#""model.layers.3.q.weight": expected the shape [3, 2], got [2, 3]"#))
        #expect(try q.optionalTensor("bias", shape: [3])?.name == nil)
    }

    @Test func reportsAllThatIsMissingAtOnce() throws {
        try weights.verify()
        weights.expect("lm_head.weight", shape: [1])
        try weights.verify()
        for layer in 0..<3 { weights["model"]["layers"][layer].expect("q.weight", shape: [2, 3]) }
        weights.expect("extra", shape: [2])
        let error = try #require(throws: CheckpointError.self) { try weights.verify() }
        #expect(error.code == .weights)
        for part in ["lacks 3 weights", "layers.0.q", "layers.1.q", "layers.2.q", "expected the shape [2], got [1]"] {
            #expect(error.message.contains(part))
        }
        #expect(weights.unusedNames.count == 4)
    }

    @Test func isSafeToShare() async throws {
        await withTaskGroup(of: Void.self) { group in
            for layer in 0..<100 { group.addTask { weights[layer].expect("weight", shape: [1]) } }
        }
        let error = try #require(throws: CheckpointError.self) { try weights.verify() }
        #expect(error.message.contains("lacks 100 weights") && error.message.contains("and 80 more"))
    }
}
