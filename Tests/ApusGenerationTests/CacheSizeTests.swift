import ApusCompute
import ApusGeneration
import Testing

@Suite struct CacheSizeTests {
    private func size(
        context: Int = 2048, batch: Int, memory: Int, bytesPerToken: Int = 1000, vocabulary: Int = 500,
        workspace: Int = 0
    ) throws -> CacheSize {
        try CacheSize(
            vocabularySize: vocabulary, contextLength: context, batchSize: batch, workspace: workspace, memory: memory
        ) { blocks, _ in Int128(blocks) * 16 * Int128(bytesPerToken) }
    }

    @Test func everySequenceHasRoomWhereMemoryAllows() throws {
        for batch in [1, 4] {
            let size = try size(batch: batch, memory: 1 << 40)
            #expect(size.blocks == batch * 128 && size.contextLength == 2048)
        }
        #expect(try size(context: 17, batch: 2, memory: 1 << 40).blocks == 4)
    }

    @Test func shortMemoryGivesFewerBlocksAndAtLastAShorterContext() throws {
        // 4 × 2000 bytes of logits, 10 × 2000 to choose from; a block is 16,000.
        let some = try size(batch: 4, memory: 28_000 + 200 * 16_000 + 15_999)
        #expect(some.blocks == 200 && some.contextLength == 2048)
        let few = try size(batch: 4, memory: 28_000 + 40 * 16_000)
        #expect(few.blocks == 40 && few.contextLength == 640)
        let least = try size(batch: 4, memory: 28_000 + 32 * 16_000)
        #expect(least.blocks == 32 && least.contextLength == 512)
    }

    @Test(arguments: [
        (4, 28_000 + 32 * 16_000 - 1, ["540000", "539999", "a batch size of 3 would fit"]),
        (1, 22_000 + 20 * 16_000, ["534000", "342000", "a context of 320 tokens"]),
        (1000, 22_000 + 3 * 16_000, ["2532000", "70000", "a batch size of 1 with a context of 48 tokens"]),
        (1, 10_000, ["534000", "10000", "nothing would fit"]),
    ])
    func tooLittleIsRefusedWithWhatWouldFit(_ batch: Int, _ memory: Int, _ named: [String]) throws {
        let error = try #require(throws: GenerationError.self) { try size(batch: batch, memory: memory) }
        #expect(error.code == .outOfMemory)
        for text in named { #expect(error.message.contains(text), "\(error)") }
    }

    @Test func theWorkOfAStepIsCounted() throws {
        let memory = 28_000 + 40 * 16_000
        #expect(try size(batch: 4, memory: memory + 500_000, workspace: 500_000) == size(batch: 4, memory: memory))
        #expect(throws: GenerationError.self) { try size(batch: 4, memory: memory, workspace: .max) }
    }

    @Test func whatIsSaidToFitFits() throws {
        #expect(try size(batch: 3, memory: 28_000 + 32 * 16_000 - 1).contextLength == 512)
        #expect(try size(context: 320, batch: 1, memory: 22_000 + 20 * 16_000).contextLength == 320)
    }

    @Test func enormousNumbersAreNotATrap() throws {
        let size = try size(context: .max, batch: .max, memory: .max, bytesPerToken: 1, vocabulary: 0)
        #expect(size.blocks == Int(Int32.max) / 16)
        #expect(throws: GenerationError.self) {
            try self.size(context: .max, batch: .max, memory: .max, bytesPerToken: .max, vocabulary: .max)
        }
    }
}
