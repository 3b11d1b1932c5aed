import ApusJSON
import ApusRuns
import ApusTestSupport
import Testing

@Suite struct ShardTests {
    @Test func choicesAreReadOrRefusedByName() throws {
        #expect(try ShardChoice("3/8") == .part(3, of: 8))
        #expect(try ShardChoice("auto") == .auto(of: nil) && ShardChoice("auto/9") == .auto(of: 9))
        for text in ["", "3", "8/8", "-1/8", "1/0", "a/8", "1/8/2", "auto/", "auto/0", "1/99999999999999999999"] {
            let error = #expect(throws: RunError.self) { try ShardChoice(text) }
            #expect(error?.description.contains("--shard \(text)") == true)
        }
        #expect(throws: RunError.self) { try ShardChoice("30/30") }
    }

    @Test(
        arguments: [
            (["SLURM_ARRAY_TASK_ID": "7"], 7, nil),
            (
                [
                    "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_ARRAY_TASK_MIN": "0",
                    "SLURM_ARRAY_TASK_MAX": "7",
                ], 7, 8
            ),
            // Two of many run again: their count says nothing.
            (
                [
                    "SLURM_ARRAY_TASK_ID": "17", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "17",
                    "SLURM_ARRAY_TASK_MAX": "203",
                ], 17, nil
            ),
            (["JOB_COMPLETION_INDEX": "0"], 0, nil),
            (["AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "5"], 3, 5),
            (["LSB_JOBINDEX": "1", "LSB_JOBINDEX_END": "4"], 0, 4),
            (["SGE_TASK_ID": "2", "SGE_TASK_LAST": "2"], 1, 2),
            (["SGE_TASK_ID": "undefined", "PARALLEL_SEQ": "5"], 4, nil),
            (["CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "3"], 2, 3),
        ] as [([String: String], Int, Int?)])
    func schedulersSayWhichTaskItIs(environment: [String: String], index: Int, count: Int?) throws {
        let task = try ArrayTask(environment: environment)
        #expect(task.index == index && task.count == count)
    }

    @Test(
        arguments: [
            [:], ["SLURM_ARRAY_TASK_ID": "x"], ["LSB_JOBINDEX": "0"], ["SLURM_PROCID": "1", "SLURM_NTASKS": "2"],
            ["SLURM_ARRAY_TASK_ID": "1", "JOB_COMPLETION_INDEX": "2"],
            ["AWS_BATCH_JOB_ARRAY_INDEX": "5", "AWS_BATCH_JOB_ARRAY_SIZE": "5"],
        ] as [[String: String]])
    func whatIsNoTaskOfAnArrayIsRefused(environment: [String: String]) {
        #expect(throws: RunError.self) { try ArrayTask(environment: environment) }
    }

    @Test func missingShardsAreNamedAsAnArray() {
        #expect(ShardMerge.arraySpecification([3, 7, 8, 9, 11]) == "3,7-9,11")
        #expect(ShardMerge.arraySpecification([0]) == "0")
    }

    /// Blank lines are no prompts; a part begins where its first prompt's line does.
    @Test func partsAreContiguousAndCoverAll() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("p.txt", "a\n\nb\n  \nc\nd\ne\n\n")
        let manifest = try ShardManifest(surveying: path, shards: 7, header: [:])
        #expect(manifest.count == 5 && manifest.parts.map(\.count) == [1, 1, 1, 1, 1, 0, 0])
        for (index, part) in manifest.parts.enumerated() where part.count > 0 {
            var reader = try PromptReader(.file(path), at: part.place)
            let line = try #require(try reader.next())
            #expect(
                line.index == index && String(decoding: line.bytes, as: UTF8.self) == ["a", "b", "c", "d", "e"][index])
        }
        let published = try manifest.publish(in: directory.path)
        let other = try ShardManifest(surveying: path, shards: 2, header: ["x": 1]).publish(in: directory.path)
        #expect(published == manifest && other == manifest)
        #expect(try directory.names == ["manifest.json", "p.txt"])
    }
}
