import ApusCPU
import ApusCheckpoints
import ApusCompute
import ApusTestSupport
import Testing

/// Matrices in the layouts of other tools: what is read of them, and products on every instruction set against the scalar definition.
@Suite struct CodedWeightTests {
    static let layouts = CodedLayout.all

    /// The weight of a module in a checkpoint of a layout, and what it stands for.
    private func load(_ layout: CodedLayout) throws -> (WeightSource, [Float], TemporaryDirectory) {
        var (file, random) = (SafetensorsBuilder(), SplitMix64(seed: 7))
        let expected = layout.add("m", to: &file, &random, outputs: layout.outputs, inputs: layout.inputs)
        let directory = try TemporaryDirectory()
        _ = try directory.write("model.safetensors", file.bytes)
        _ = try directory.write("config.json", #"{"quantization_config": \#(layout.config)}"#)
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint.names == ["m.weight"])
        let tensor = try #require(checkpoint["m.weight"])
        let arrays = try #require(tensor.coded).arrays(inputs: layout.inputs)
        let source = try WeightSource(
            name: tensor.name, bytes: tensor.bytes, owner: tensor.mapping,
            shape: Shape([layout.outputs, layout.inputs]), format: arrays.product, codes: .arrays(arrays))
        return (source, expected, directory)
    }

    @Test(arguments: layouts) func areWhatTheirTensorsSay(_ layout: CodedLayout) throws {
        let (source, expected, directory) = try load(layout)
        #expect((source.format.grouping?.isWidened ?? (source.format == .bfloat16)) == layout.isWidened)
        #expect((0..<layout.outputs).flatMap { source.floats(ofRow: $0) } == expected)
        withExtendedLifetime(directory) {}
    }

    @Test(arguments: layouts, InstructionSet.available)
    func multiplyAsTheScalarDefinition(_ layout: CodedLayout, _ set: InstructionSet) throws {
        let (source, weights, directory) = try load(layout)
        var random = SplitMix64(seed: 2)
        for rows in [1, 3, 9] {
            let x = (0..<rows * layout.inputs).map { _ in Float.random(in: -2...2, using: &random) }
            let scalar = try product(CPUDevice(threads: 1, instructionSet: .scalar), source, x, rows)
            let found = try product(CPUDevice(threads: 2, instructionSet: set), source, x, rows)
            let size = scalar.map(abs).max() ?? 0
            #expect(zip(scalar, found).allSatisfy { abs($0 - $1) <= (layout.isWidened ? 1e-2 : 2e-5) * size })
            // What rounding the inputs leaves.
            for row in 0..<rows {
                for output in 0..<layout.outputs {
                    let exact = (0..<layout.inputs).reduce(0.0) {
                        $0 + Double(weights[output * layout.inputs + $1]) * Double(x[row * layout.inputs + $1])
                    }
                    let spread = (0..<layout.inputs).reduce(0.0) {
                        $0 + abs(Double(weights[output * layout.inputs + $1]))
                    }
                    #expect(abs(Double(found[row * layout.outputs + output]) - exact) <= 0.02 * spread)
                }
            }
            let alone = try product(
                CPUDevice(threads: 1, instructionSet: set), source, Array(x[..<layout.inputs]), 1)
            #expect(alone == Array(found[..<layout.outputs]))
        }
        withExtendedLifetime(directory) {}
    }

    private func product(_ device: CPUDevice, _ source: WeightSource, _ x: [Float], _ rows: Int) throws -> [Float] {
        let weight = try device.prepare(source, as: source.format)
        let result = try device.makeTensor([rows, source.shape[0]])
        try device.linear(
            try device.makeTensor(x, [rows, source.shape[1]]), norm: nil, [Projection(weight, bias: nil).into(result)])
        return try device.download(result).elements()
    }
}
