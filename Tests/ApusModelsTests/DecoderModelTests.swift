import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusModels
import ApusTestSupport
import Testing

@Suite struct DecoderModelTests {
    /// Logits after the last token of each prompt, prompts fed together in pieces of at most `piece` tokens.
    private func logits(_ model: DecoderModel, _ prompts: [[Int]], piece: Int = .max) throws -> [[Float]] {
        let blockSize = KVCacheLayout.blockSize
        let needed = prompts.map { ($0.count + blockSize - 1) / blockSize }
        let run = try ModelRun(
            model,
            StepLimits(
                tokens: prompts.reduce(0) { $0 + min($1.count, piece) }, outputs: prompts.count,
                sequences: prompts.count, blocksPerSequence: needed.max() ?? 1, blocks: needed.reduce(0, +)))
        var next = Int32(0)
        let tables = needed.map { count in
            (0..<count).map { _ in
                defer { next += 1 }
                return next
            }
        }
        var done = prompts.map { _ in 0 }
        var result = [[Float]](repeating: [], count: prompts.count)
        while zip(prompts, done).contains(where: { $0.count > $1 }) {
            var batch = ForwardBatch()
            var finishing: [Int] = []
            for (index, prompt) in prompts.enumerated() {
                let end = min(prompt.count, piece == .max ? .max : done[index] + piece)
                for position in done[index]..<end {
                    batch.tokens.append(Int32(prompt[position]))
                    batch.positions.append(Int32(position))
                    batch.rotaryLengths.append(Int32(prompt.count))
                    batch.sequences.append(Int32(index))
                    batch.slots.append(tables[index][position / blockSize] * 16 + Int32(position % blockSize))
                }
                if done[index] < end, end == prompt.count {
                    batch.outputs.append(Int32(batch.tokens.count - 1))
                    finishing.append(index)
                }
                done[index] = end
            }
            for (index, table) in tables.enumerated() { batch.setTable(of: index, table) }
            let values = try run.logits(of: batch)
            for (row, index) in finishing.enumerated() {
                let width = model.spec.vocabularySize
                result[index] = Array(values[row * width..<(row + 1) * width])
            }
        }
        return result
    }

    @Test(arguments: ModelFixture.names, InstructionSet.available)
    func logitsMatchTransformers(_ name: String, _ set: InstructionSet) throws {
        let fixture = try ModelFixture.load(name)
        let model = try DecoderModel.load(
            directory: fixture.directory, device: CPUDevice(threads: 2, instructionSet: set))
        // Both round to the format at every layer, at different places: a few units of it, of logits up to about 8.
        let tolerance: Float = fixture.dtype == "bf16" ? 0.15 : fixture.dtype == "f16" ? 0.02 : 2e-4
        let checked = fixture.cases.filter { $0.lastLogits != nil }
        #expect(!checked.isEmpty)
        for item in checked {
            let got = try logits(model, [item.prompt])[0]
            let expected = try #require(item.lastLogits)
            #expect(got.count == expected.count)
            let worst = zip(got, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst < tolerance, "\(name) on \(set): off by \(worst)")
        }
    }

    @Test(arguments: ["gqa-tied", "dynamic", "bf16", "f16"], InstructionSet.available)
    func logitsDependOnNothingButThePrompt(_ name: String, _ set: InstructionSet) throws {
        let fixture = try ModelFixture.load(name)
        let prompts = fixture.cases.map(\.prompt)
        let alone = try DecoderModel.load(
            directory: fixture.directory, device: CPUDevice(threads: 1, instructionSet: set))
        let expected = try prompts.map { try logits(alone, [$0])[0] }
        let team = try DecoderModel.load(
            directory: fixture.directory, device: CPUDevice(threads: 3, instructionSet: set))
        for piece in [1, 7, 16, Int.max] {
            #expect(try logits(team, prompts, piece: piece) == expected, "pieces of \(piece)")
        }
    }

    /// Rounding keys and values moves logits by little, in the root mean square relative to theirs.
    @Test(arguments: [(DType.bfloat16, Float(0.02)), (.int8, 0.03)], InstructionSet.available)
    func otherCachesAreNear(_ cache: (type: DType, bound: Float), _ set: InstructionSet) throws {
        let fixture = try ModelFixture.load("gqa-tied")
        let device = try CPUDevice(threads: 2, instructionSet: set)
        let exact = try DecoderModel.load(directory: fixture.directory, device: device)
        let rounded = try DecoderModel.load(directory: fixture.directory, device: device, cacheType: cache.type)
        #expect(exact.cacheType == .float32 && rounded.cacheType == cache.type)
        let limits = StepLimits(tokens: 1, outputs: 1, sequences: 1, blocksPerSequence: 1, blocks: 1)
        let bytes = [exact, rounded].map { $0.spec.memoryByteCount(limits, $0.cacheType) }
        #expect(bytes[1] < bytes[0])
        let prompts = fixture.cases.map(\.prompt)
        let expected = Array(try logits(exact, prompts).joined())
        let got = Array(try logits(rounded, prompts).joined())
        let error = zip(expected, got).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let relative = (error / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(relative > 0 && relative < cache.bound, "off by \(relative)")
        #expect(try logits(rounded, prompts, piece: 7) == logits(rounded, prompts))
    }

    @Test func reportsAllThatIsMissing() throws {
        let directory = try TemporaryDirectory()
        var builder = SafetensorsBuilder()
        builder.add("model.embed_tokens.weight", [Float](repeating: 0, count: 8), shape: [4, 2])
        builder.add("extra", [Float](repeating: 0, count: 1), shape: [1])
        _ = try directory.write("model.safetensors", builder.bytes)
        _ = try directory.write(
            "config.json",
            """
            {"architectures": ["LlamaForCausalLM"], "vocab_size": 4, "hidden_size": 2, "intermediate_size": 2,
             "num_hidden_layers": 1, "num_attention_heads": 1}
            """)
        let error = #expect(throws: CheckpointError.self) {
            try DecoderModel.load(directory: directory.path, device: CPUDevice(threads: 1))
        }
        #expect(error?.message.contains("lm_head.weight") == true)
        #expect(error?.message.contains("model.layers.0.self_attn.q_proj.weight") == true)
    }

    @Test func namesAnArchitectureThatIsNotSupported() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.write("config.json", #"{"architectures": ["MambaForCausalLM"]}"#)
        let error = #expect(throws: ModelError.self) {
            try DecoderModel.load(directory: directory.path, device: CPUDevice(threads: 1))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("MambaForCausalLM") == true)
    }

    @Test func listsWeightsWithoutUse() throws {
        let fixture = try ModelFixture.load("mha")
        let model = try DecoderModel.load(directory: fixture.directory, device: CPUDevice(threads: 1))
        #expect(model.unusedWeights.isEmpty)
        let copy = try TemporaryDirectory()
        try copy.write("config.json", try readFile(fixture.directory + "/config.json"))
        try copy.write("model-1.safetensors", try readFile(fixture.directory + "/model.safetensors"))
        var builder = SafetensorsBuilder()
        builder.add("vision.patch.weight", [1])
        try copy.write("model-2.safetensors", builder.bytes)
        try copy.write(
            "model.safetensors.index.json",
            #"{"weight_map": {"a": "model-1.safetensors", "vision.patch.weight": "model-2.safetensors"}}"#)
        let larger = try DecoderModel.load(directory: copy.path, device: CPUDevice(threads: 1))
        #expect(larger.unusedWeights == ["vision.patch.weight"])
    }

    @Test(arguments: [
        (#""model_type": "llama", "architectures": null"#, true),
        (#""model_type": "llama", "architectures": []"#, true),
        (#""model_type": "llama""#, true),
        (#""model_type": "LLaMA", "architectures": ["SomethingElse"]"#, true),
        (#""architectures": ["LlamaModel"]"#, true),
        (#""architectures": ["LLaMAForCausalLM"]"#, true),
        (#""architectures": "LlamaForCausalLM""#, true),
        (#""model_type": "mamba", "architectures": ["LlamaForCausalLM"]"#, false),
        (#""model_type": null, "architectures": []"#, false),
        (#""architectures": ["MambaForCausalLM"]"#, false),
    ])
    func findsTheFamily(_ keys: String, _ isLlama: Bool) throws {
        let directory = try TemporaryDirectory()
        let config = try ConfigurationFile(path: directory.write("config.json", "{\(keys)}"))
        if isLlama { return #expect(try DecoderSpec(config).layers == 32) }
        let error = try #require(throws: ModelError.self) { try DecoderSpec(config) }
        #expect(error.code == .unsupported && error.message.contains("supported: LlamaForCausalLM"))
    }
}
