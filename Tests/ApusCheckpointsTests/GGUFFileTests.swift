import ApusCheckpoints
import ApusCompute
import ApusJSON
import ApusTestSupport
import Testing

/// GGUF files: what is read, and what each damage gets.
@Suite struct GGUFFileTests {
    private static var sound: GGUFBuilder {
        var builder = GGUFBuilder()
        builder.values = [
            ("general.architecture", .text("llama")), ("llama.block_count", .integer(2)), ("llama.scale", .float(0.5)),
            ("tokenizer.ggml.tokens", .texts(["a", "b", "é"])), ("tokenizer.ggml.token_type", .numbers([1, 3, -1])),
        ]
        builder.add("token_embd.weight", [3, 2], [1, 2, 3, 4, 5, 6])
        builder.tensors.append(("blk.0.attn_q.weight", [2, 32], 8, [UInt8](repeating: 7, count: 68)))
        return builder
    }

    @Test(arguments: [
        ("a.b=int:7", JSONValue.integer(7)), ("a.b=float:0.5", .number(0.5)), ("a.b=bool:true", .bool(true)),
        ("a.b=str:x=y:z", .string("x=y:z")),
    ])
    func valuesOfPersonsAreParsed(_ text: String, _ value: JSONValue) throws {
        let parsed = try GGUFOverrides.parse(text)
        #expect(parsed.key == "a.b" && parsed.value == value)
    }

    @Test(arguments: ["a", "a=7", "=int:7", "a=int:x", "a=float:nan", "a=bool:1", "a=list:1"])
    func whatIsNoValueIsNamed(_ text: String) {
        #expect { try GGUFOverrides.parse(text) } throws: { "\($0)".hasPrefix("--override-kv \"\(text)\": expected") }
    }

    private func open(_ bytes: [UInt8]) throws -> GGUFFile {
        let directory = try TemporaryDirectory()
        return try GGUFFile(path: directory.write("model.gguf", bytes))
    }

    private func message(_ bytes: [UInt8]) -> String {
        do {
            _ = try open(bytes)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }

    @Test func readsValuesAndTensors() throws {
        let file = try open(Self.sound.bytes)
        #expect(try file.value("general.architecture")?.string == "llama")
        #expect(try file.value("llama.block_count")?.integer == 2)
        #expect(try file.value("llama.scale")?.double == 0.5)
        #expect(try file.value("tokenizer.ggml.tokens")?.array?.map(\.string) == ["a", "b", "é"])
        #expect(try file.value("tokenizer.ggml.token_type")?.array?.map(\.integer) == [1, 3, -1])
        #expect(try file.value("nothing") == nil)
        #expect(file.tensors.map(\.name) == ["token_embd.weight", "blk.0.attn_q.weight"])
        #expect(file.tensors.map(\.shape) == [[3, 2], [2, 32]])
        #expect(file.tensors.map(\.blocks?.rawValue) == [nil, "Q8_0"])
        #expect(file.tensors[1].byteCount == 68)
        #expect(Array(file.tensors[1].bytes) == [UInt8](repeating: 7, count: 68))
    }

    @Test func aFileCutShortAnywhereIsRefused() throws {
        let bytes = Self.sound.bytes
        for length in 0..<bytes.count {
            #expect(throws: CheckpointError.self, "\(length) bytes") { try open(Array(bytes[..<length])) }
        }
    }

    @Test func everyDamageIsNamed() {
        var builder = Self.sound
        builder.version = 1
        #expect(message(builder.bytes).contains("version 1 of GGUF is not read"))
        builder.version = UInt32(3).byteSwapped
        #expect(message(builder.bytes).contains("a file for big-endian machines is not read"))
        builder = Self.sound
        builder.values.append(builder.values[0])
        #expect(message(builder.bytes).contains("the key \"general.architecture\" stands twice"))
        builder = Self.sound
        builder.tensors.append(builder.tensors[0])
        #expect(message(builder.bytes).contains("tensor \"token_embd.weight\": stands twice"))
        builder = Self.sound
        builder.tensors[1].type = 19
        #expect(message(builder.bytes).contains("is IQ1_S, which is not read; F32, F16, Q4_0"))
        builder.tensors[1].type = 12
        #expect(message(builder.bytes).contains("Q4_K of shape [2, 32] is no whole number of blocks"))
        builder = Self.sound
        builder.values.append(("general.alignment", .integer(48)))
        #expect(message(builder.bytes).contains("general.alignment: expected a power of two, got 48"))
        #expect(message(Array("GGML".utf8) + builder.bytes.dropFirst(4)).contains("does not begin with 'GGUF'"))
    }

    /// A number anywhere in the header may be any: a clean load or an error, in memory like the file's.
    @Test func anyNumberInTheHeaderIsSurvived() throws {
        let bytes = Self.sound.bytes
        let directory = try TemporaryDirectory()
        for place in 0..<bytes.count - 150 {
            for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                var damaged = bytes
                damaged[place] = value
                let path = try directory.write("model.gguf", damaged)
                guard let file = try? GGUFFile(path: path) else { continue }
                for key in file.keys { _ = try? file.value(key) }
            }
        }
    }

    @Test func partsAreOneModel() throws {
        let directory = try TemporaryDirectory()
        func part(_ number: UInt32, of count: UInt32, _ tensor: String) -> [UInt8] {
            var builder = GGUFBuilder()
            builder.values = [("split.no", .integer(number)), ("split.count", .integer(count))]
            builder.add(tensor, [2], [1, 2])
            return builder.bytes
        }
        let path = try directory.write("m-00001-of-00002.gguf", part(0, of: 2, "a"))
        #expect { try Checkpoint(directory: path) } throws: { "\($0)".contains("m-00002-of-00002.gguf: no such file") }
        try directory.write("m-00002-of-00002.gguf", part(0, of: 2, "b"))
        #expect { try Checkpoint(directory: path) } throws: { "\($0)".contains("is not part 2 of the 2") }
        let second = try directory.write("m-00002-of-00002.gguf", part(1, of: 2, "b"))
        #expect(try Checkpoint(directory: path).names == ["a", "b"])
        #expect { try Checkpoint(directory: second) } throws: { "\($0)".contains("name the first") }
    }
}
