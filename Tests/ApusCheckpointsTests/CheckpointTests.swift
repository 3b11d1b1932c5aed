import ApusCheckpoints
import ApusTestSupport
import Foundation
import Testing

@Suite struct CheckpointTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func shard(_ name: String, _ tensors: [String]) throws {
        var builder = SafetensorsBuilder()
        for (index, tensor) in tensors.enumerated() { builder.add(tensor, [Float(index)]) }
        try directory.write(name, builder.bytes)
    }

    private func index(_ map: String) throws {
        try directory.write("model.safetensors.index.json", #"{"metadata":{},"weight_map":\#(map)}"#)
    }

    private func message() throws -> String {
        let error = try #require(throws: CheckpointError.self) { try Checkpoint(directory: directory.path) }
        #expect(!error.message.contains("\n") && error.message.contains(directory.path))
        return error.message
    }

    @Test func readsOneFile() throws {
        try shard("model.safetensors", ["b", "a"])
        try shard("other.safetensors", ["c"])
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint.names == ["a", "b"])
        #expect(checkpoint.byteCount == 8)
        #expect(checkpoint["a"]?.withBytes { $0.loadUnaligned(as: Float.self) } == 1)
        #expect(checkpoint["c"] == nil)
    }

    @Test func tellsCanonicallyEquivalentNamesApart() throws {
        try shard("model.safetensors", ["\u{e9}", "e\u{301}"])
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint["e\u{301}"]?.withBytes { $0.loadUnaligned(as: Float.self) } == 1)
        #expect(checkpoint["\u{e9}"]?.withBytes { $0.loadUnaligned(as: Float.self) } == 0)
    }

    @Test func takesTheOnlyFileOfAnotherName() throws {
        try shard("weights.safetensors", ["a"])
        #expect(try Checkpoint(directory: directory.path + "/").names == ["a"])
        try shard("more.safetensors", ["b"])
        #expect(try message().contains(#"holds 2 safetensors files"#))
    }

    @Test func readsShards() throws {
        try shard("m-1.safetensors", ["a", "b"])
        try shard("m-2.safetensors", ["c"])
        try index(#"{"c":"m-2.safetensors","a":"m-1.safetensors","b":"m-1.safetensors"}"#)
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint.names == ["a", "b", "c"])
        #expect(checkpoint["c"]?.file == directory.path + "/m-2.safetensors")
        #expect(checkpoint.files.count == 2)
    }

    @Test func namesWhatIsMissing() throws {
        try shard("m-1.safetensors", ["a"])
        try index(#"{"a":"m-1.safetensors","b":"m-2.safetensors","c":"m-3.safetensors"}"#)
        #expect(try message().contains(#"files that are not there: "m-2.safetensors", "m-3.safetensors""#))
    }

    /// Only a model that needs it complains.
    @Test func anIndexMayNameTensorsThatNoShardHas() throws {
        try shard("m-1.safetensors", ["a", "c"])
        try index(#"{"a":"m-1.safetensors","b":"m-1.safetensors"}"#)
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint.names == ["a", "c"])
        let error = #expect(throws: CheckpointError.self) { try WeightCursor(checkpoint).tensor("b", shape: [1]) }
        #expect(error?.message.contains(#"lacks the tensor "b""#) == true)
    }

    @Test func oneTensorMayLieInTwoShards() throws {
        try shard("m-1.safetensors", ["a", "b"])
        try shard("m-2.safetensors", ["x", "b"])
        try index(#"{"a":"m-1.safetensors","b":"m-2.safetensors"}"#)
        let checkpoint = try Checkpoint(directory: directory.path)
        #expect(checkpoint.names == ["a", "b", "x"])
        #expect(checkpoint.byteCount == 12)
    }

    @Test func readsShardsInDirectoriesBelow() throws {
        try FileManager.default.createDirectory(atPath: directory.path + "/parts/0", withIntermediateDirectories: true)
        try shard("parts/0/m.safetensors", ["a"])
        try index(#"{"a":"parts/0/m.safetensors"}"#)
        #expect(try Checkpoint(directory: directory.path).names == ["a"])
        try index(#"{"a":"parts/1/m.safetensors"}"#)
        #expect(try message().contains(#"not there: "parts/1/m.safetensors""#))
    }

    @Test func passesOverOtherLayoutsBesideTheModel() throws {
        try shard("weights.safetensors", ["a"])
        try shard("consolidated.00.safetensors", ["b"])
        try shard("adapter_model.safetensors", ["c"])
        #expect(try Checkpoint(directory: directory.path).names == ["a"])
        try FileManager.default.removeItem(atPath: directory.path + "/weights.safetensors")
        #expect(try message().contains("only adapter_model.safetensors"))
    }

    @Test func readsPartsWithoutAnIndex() throws {
        try shard("model-00001-of-00002.safetensors", ["a"])
        #expect(try message().contains(#"lacks parts of the checkpoint: "model-00002-of-00002.safetensors""#))
        try shard("model-00003-of-00003.safetensors", ["b"])
        #expect(try message().contains("holds 2 safetensors files"))
        try FileManager.default.removeItem(atPath: directory.path + "/model-00003-of-00003.safetensors")
        try shard("model-00002-of-00002.safetensors", ["b"])
        #expect(try Checkpoint(directory: directory.path).names == ["a", "b"])
    }

    @Test func tellsAPointerFromAFile() throws {
        try directory.write(
            "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 16060556376\n")
        #expect(try message().contains("is a git-lfs pointer"))
    }

    @Test func guessesThatAHubsNameIsMeant() throws {
        for (path, isName) in [("org/name-1", true), ("./name", false), ("/org/name", false), ("a/b/c", false)] {
            let error = try #require(throws: CheckpointError.self) { try Checkpoint(directory: path) }
            #expect(error.message.contains("a model's name on a hub") == isName)
        }
    }

    @Test func refusesOneTensorInTwoShards() throws {
        try shard("m-1.safetensors", ["a", "b"])
        try shard("m-2.safetensors", ["b"])
        try index(#"{"a":"m-1.safetensors","b":"m-2.safetensors"}"#)
        #expect(try message().contains(#"tensor "b" is both in"#))
    }

    @Test(arguments: [
        (#"{"a":"../x.safetensors"}"#, "is not the name of a file beside the index"),
        (#"{"a":"/etc/passwd"}"#, "is not the name of a file beside the index"),
        (#"{"a":".."}"#, "is not the name of a file beside the index"),
        (#"{"a":"x/../../y"}"#, "is not the name of a file beside the index"),
        (#"{"a":"x//y"}"#, "is not the name of a file beside the index"),
        (#"{"a":""}"#, "is not the name of a file beside the index"),
        (#"{"a":"x\u0000y"}"#, "is not the name of a file beside the index"),
        (#"{"a":3}"#, "expected a file name, got a number"),
        (#"{"a":"x","a":"y"}"#, #""a" stands twice"#),
        ("[]", "expected an object, got an array"),
        ("{}", "names no tensors"),
        ("{", "invalid JSON at byte"),
    ]) func refusesHostileIndexes(_ map: String, _ reason: String) throws {
        try index(map)
        #expect(try message().contains(reason))
    }

    @Test func refusesAnIndexWithoutMap() throws {
        try directory.write("model.safetensors.index.json", "{}")
        #expect(try message().contains("weight_map is missing"))
        try directory.write("model.safetensors.index.json", "[]")
        #expect(try message().contains("expected an object, got an array"))
    }

    @Test func explainsDirectoriesWithoutWeights() throws {
        #expect(try message().contains("holds no model.safetensors"))
        try directory.write("pytorch_model.bin", "x")
        #expect(try message().contains("convert the checkpoint to safetensors"))
        let file = try directory.write("file", "x")
        for (path, reason) in [(file, "is a file"), ("/nonexistent", "no such directory"), ("", "no such directory")] {
            let error = try #require(throws: CheckpointError.self) { try Checkpoint(directory: path) }
            #expect(error.message.contains(reason) && error.code == .notFound)
        }
    }
}
