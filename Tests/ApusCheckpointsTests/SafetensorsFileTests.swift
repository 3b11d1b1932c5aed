import ApusCheckpoints
import ApusTestSupport
import Testing

@Suite struct SafetensorsFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(path: directory.write("a.safetensors", bytes))
    }

    private func message(_ bytes: [UInt8]) throws -> String {
        let error = try #require(throws: CheckpointError.self) { try open(bytes) }
        #expect(!error.message.contains("\n") && error.message.hasPrefix(directory.path))
        return error.message
    }

    @Test func readsTensorsAndMetadata() throws {
        var builder = SafetensorsBuilder()
        builder.addRaw(#""__metadata__":{"format":"pt"}"#)
        builder.add("a", [1, 2, 3, 4, 5, 6], shape: [2, 3])
        builder.add("empty", "F32", [0, 7], [])
        builder.add("scalar", "I64", [], [7, 0, 0, 0, 0, 0, 0, 0])
        builder.add("packed", "F4", [3, 2], [1, 2, 3])
        let file = try open(builder.bytes)
        #expect(file.metadata == ["format": "pt"])
        #expect(file.tensors.map(\.name) == ["a", "empty", "scalar", "packed"])
        #expect(file.tensors.map(\.shape) == [[2, 3], [0, 7], [], [3, 2]])
        #expect(file.tensors.map(\.byteCount) == [24, 0, 8, 3])
        #expect(file.tensors.map(\.count) == [6, 0, 1, 6])
        #expect(file.tensors[0].withBytes { $0.loadUnaligned(fromByteOffset: 20, as: Float.self) } == 6)
        #expect(file.tensors[2].withBytes { $0.loadUnaligned(as: Int64.self) } == 7)
    }

    @Test func aTensorOutlivesItsFile() throws {
        var builder = SafetensorsBuilder()
        builder.add("a", [1, 2, 3])
        var file: SafetensorsFile? = try open(builder.bytes)
        let tensor = try #require(file?.tensors.first)
        file = nil
        #expect(tensor.withBytes { $0.loadUnaligned(fromByteOffset: 8, as: Float.self) } == 3)
    }

    @Test func takesTensorsInAnyOrderAndPaddedHeaders() throws {
        let header =
            #"{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"#
            + #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}    "#
        let file = try open(SafetensorsBuilder.file(header: header, data: [1, 2, 3]))
        #expect(file.tensors[0].withBytes { Array($0) } == [2, 3])
    }

    @Test func knowsTheSizesOfAllTypes() throws {
        var builder = SafetensorsBuilder()
        for dtype in StoredDType.allCases {
            builder.add(dtype.rawValue, dtype.rawValue, [8], Array(repeating: 0, count: dtype.bitCount))
        }
        #expect(try open(builder.bytes).tensors.map(\.dtype) == StoredDType.allCases)
    }

    @Test(arguments: [
        (#"{"t":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, "unknown dtype \"F99\""),
        (#"{"t":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}"#, "dtype: expected a string, got a number"),
        (#"{"t":{"shape":[1],"data_offsets":[0,4]}}"#, "dtype is missing"),
        (#"{"t":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, "shape: expected an array, got a number"),
        (#"{"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "at least 0, got -1"),
        (#"{"t":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "at least 0, got 1.0"),
        (#"{"t":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}"#, "at least 0, got 1.8"),
        (#"{"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, "is too large"),
        (#"{"t":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}"#, "is too large"),
        (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "expected 8 bytes, got 4"),
        (#"{"t":{"dtype":"F4","shape":[3],"data_offsets":[0,4]}}"#, "does not fill whole bytes"),
        (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "4 lies behind 0"),
        (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, "expected 2 numbers, got 1"),
        (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":["0",4]}}"#, "at least 0, got \"0\""),
        (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "ends at byte 8, but the file has 4 bytes"),
        (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, "the file has 4 bytes"),
        (#"{"t":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, "leaves a hole after the header"),
        (#"{"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "the tensors take 3 bytes, but 4 bytes"),
        (#"{"t":[]}"#, "expected an object, got an array"),
        (#"{"t":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#, "the key \"dtype\" stands twice"),
    ]) func namesTheTensorAtFault(_ header: String, _ reason: String) throws {
        let message = try message(SafetensorsBuilder.file(header: header, data: [0, 0, 0, 0]))
        #expect(message.contains(reason))
        #expect(message.contains("\"t\"") || message.contains("the tensors take"))
    }

    @Test func refusesTensorsThatOverlap() throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"#
            + #""b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#
        let text = try message(SafetensorsBuilder.file(header: header, data: [0, 0, 0, 0]))
        #expect(text.contains(#"tensor "b" overlaps "a": expected it to begin at 3, got 2"#))
    }

    @Test func refusesBrokenHeaders() throws {
        #expect(try message([]).contains("got only 0 bytes"))
        #expect(try message([1, 2, 3]).contains("got only 3 bytes"))
        #expect(try message(SafetensorsBuilder.file(header: "", data: [])).contains("does not begin with '{'"))
        #expect(try message(SafetensorsBuilder.file(header: "[]", data: [])).contains("does not begin with '{'"))
        #expect(try message(SafetensorsBuilder.file(header: "{}", data: [], length: 3)).contains("only 2 bytes follow"))
        let huge = SafetensorsBuilder.file(header: "{}", data: [], length: .max)
        #expect(try message(huge).contains("18446744073709551615 bytes long, at most 100000000"))
        #expect(try message(SafetensorsBuilder.file(header: "{} x", data: [])).contains("invalid JSON at byte 3"))
        let twice =
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
        #expect(try message(SafetensorsBuilder.file(header: twice, data: [])).contains(#"the key "a" stands twice"#))
        let number = #"{"__metadata__":{"a":1}}"#
        #expect(
            try message(SafetensorsBuilder.file(header: number, data: [])).contains("expected a string, got a number"))
        let list = #"{"__metadata__":[]}"#
        #expect(
            try message(SafetensorsBuilder.file(header: list, data: [])).contains("expected an object, got an array"))
    }

    @Test func everyTruncationIsAnError() throws {
        var builder = SafetensorsBuilder()
        builder.add("a", [1, 2, 3])
        builder.add("b", [4])
        let bytes = builder.bytes
        for length in 0..<bytes.count { _ = try message(Array(bytes[..<length])) }
        _ = try message(bytes + [0])
    }

    @Test func longAndUnprintableNamesStayOneShortLine() throws {
        let header = #"{"\u001b[31m\n\u2028"# + String(repeating: "x", count: 10_000) + #"":1}"#
        let text = try message(SafetensorsBuilder.file(header: header, data: []))
        #expect(text.contains(#"\u{1b}[31m\u{a}\u{2028}xxx"#) && text.utf8.count < 600)
    }

    @Test func refusesWhatIsNoFile() throws {
        #expect(
            try #require(throws: CheckpointError.self) { try SafetensorsFile(path: "/nonexistent/x") }.code == .notFound
        )
        let error = try #require(throws: CheckpointError.self) { try SafetensorsFile(path: directory.path) }
        #expect(error.message == "\(directory.path): is a directory, not a file")
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: "/dev/zero") }
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: "") }
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: "a\u{0}b") }
    }
}
