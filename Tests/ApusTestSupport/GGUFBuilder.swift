/// Writes GGUF files, right ones and wrong ones.
package struct GGUFBuilder {
    package enum Value {
        case integer(UInt32)
        case float(Float)
        case text(String)
        case texts([String])
        case numbers([Int32])
    }

    package var version: UInt32 = 3
    package var values: [(key: String, value: Value)] = []
    package var tensors: [(name: String, shape: [Int], type: UInt32, bytes: [UInt8])] = []

    package init() {}

    /// Elements of float32.
    package mutating func add(_ name: String, _ shape: [Int], _ elements: [Float]) {
        tensors.append((name, shape, 0, elements.flatMap { Self.little($0.bitPattern) }))
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func written(_ value: Value) -> [UInt8] {
        switch value {
        case .integer(let number): little(UInt32(4)) + little(number)
        case .float(let number): little(UInt32(6)) + little(number.bitPattern)
        case .text(let text): little(UInt32(8)) + self.text(text)
        case .texts(let texts):
            little(UInt32(9)) + little(UInt32(8)) + little(UInt64(texts.count)) + texts.flatMap(self.text)
        case .numbers(let numbers):
            little(UInt32(9)) + little(UInt32(5)) + little(UInt64(numbers.count)) + numbers.flatMap { little($0) }
        }
    }

    package var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + Self.little(version)
        bytes += Self.little(UInt64(tensors.count)) + Self.little(UInt64(values.count))
        for (key, value) in values { bytes += Self.text(key) + Self.written(value) }
        var offset = 0
        for tensor in tensors {
            bytes += Self.text(tensor.name) + Self.little(UInt32(tensor.shape.count))
            for extent in tensor.shape.reversed() { bytes += Self.little(UInt64(extent)) }
            bytes += Self.little(tensor.type) + Self.little(UInt64(offset))
            offset += (tensor.bytes.count + 31) / 32 * 32
        }
        for tensor in tensors {
            bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32) + tensor.bytes
        }
        return bytes
    }
}

extension GGUFBuilder {
    package static let smallVocabulary = 50

    /// A small Llama with random weights; matrices with whole blocks in Q8_0 if `isRounded`.
    package static func smallLlama(isRounded: Bool) -> GGUFBuilder {
        let (width, layers, heads, kvHeads, inner, vocabulary) = (64, 2, 4, 2, 96, smallVocabulary)
        var random = SplitMix64(seed: 7)
        var builder = GGUFBuilder()
        builder.values = [
            ("general.architecture", .text("llama")), ("llama.block_count", .integer(UInt32(layers))),
            ("llama.embedding_length", .integer(UInt32(width))), ("llama.context_length", .integer(128)),
            ("llama.feed_forward_length", .integer(UInt32(inner))),
            ("llama.attention.head_count", .integer(UInt32(heads))),
            ("llama.attention.head_count_kv", .integer(UInt32(kvHeads))),
            ("llama.attention.layer_norm_rms_epsilon", .float(1e-5)), ("llama.rope.freq_base", .float(10_000)),
        ]
        func elements(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -0.3...0.3, using: &random) } }
        func matrix(_ name: String, _ outputs: Int, _ inputs: Int) {
            let values = elements(outputs * inputs)
            guard isRounded else { return builder.add(name, [outputs, inputs], values) }
            // 2⁻⁸ is 0x1c00 as a half: values on that grid are the same in both files.
            let bytes = stride(from: 0, to: values.count, by: 32).flatMap { start in
                [0x00, 0x1c]
                    + values[start..<start + 32].map { UInt8(bitPattern: Int8(($0 * 256).rounded(.toNearestOrEven))) }
            }
            builder.tensors.append((name, [outputs, inputs], 8, bytes))
        }
        func norm(_ name: String) { builder.add(name, [width], elements(width).map { $0 + 1 }) }
        matrix("token_embd.weight", vocabulary, width)
        norm("output_norm.weight")
        for layer in 0..<layers {
            let place = "blk.\(layer)."
            norm(place + "attn_norm.weight")
            matrix(place + "attn_q.weight", width, width)
            matrix(place + "attn_k.weight", kvHeads * width / heads, width)
            matrix(place + "attn_v.weight", kvHeads * width / heads, width)
            matrix(place + "attn_output.weight", width, width)
            norm(place + "ffn_norm.weight")
            matrix(place + "ffn_gate.weight", inner, width)
            matrix(place + "ffn_up.weight", inner, width)
            matrix(place + "ffn_down.weight", width, inner)
        }
        return builder
    }
}
