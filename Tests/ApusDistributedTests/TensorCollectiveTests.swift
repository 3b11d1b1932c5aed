import ApusCompute
import ApusDistributed
import Testing

@Suite("Collectives of tensors")
struct TensorCollectiveTests {
    private func tensors(_ results: [Result<HostTensor, any Error>]) throws -> HostTensor {
        let all = try results.map { try $0.get() }
        #expect(Set(all).count == 1, "the ranks got different tensors")
        return try #require(all.first)
    }

    @Test func gatherConcatenatesRows() async throws {
        let gathered = try tensors(
            await withRanks(3) { accelerator in
                let rank = accelerator.processIndex
                return try await accelerator.gather(
                    HostTensor([Int64](repeating: Int64(rank), count: rank * 2), shape: [rank, 2]))
            })
        #expect(gathered.shape.dimensions == [3, 2])
        #expect(try gathered.elements() == [1, 1, 2, 2, 2, 2] as [Int64])
        let scalars = try tensors(
            await withRanks(3) { try await $0.gather(HostTensor([Float($0.processIndex)], shape: [])) })
        #expect(try scalars.elements() == [0, 1, 2] as [Float])
        #expect(scalars.shape.dimensions == [3])
    }

    @Test func aTensorThatDoesNotFitNamesItsRank() async {
        let results = await withRanks(4) { accelerator in
            let columns = accelerator.processIndex == 2 ? 4 : 3
            _ = try await accelerator.gather(
                HostTensor([Float](repeating: 0, count: 2 * columns), shape: [2, columns]))
        }
        for result in results {
            #expect(
                result.message
                    == "gather: rank 2 passed a tensor of float32 and shape [2, 4], the others of float32 and shape [any, 3]"
            )
        }
        // Rank 0 is as good a suspect as any other.
        for odd in 0..<3 {
            let results = await withRanks(3) { accelerator in
                _ = try await accelerator.reduce(
                    accelerator.processIndex == odd ? HostTensor([Int32(1)]) : HostTensor([Float(1)]))
            }
            for result in results {
                guard case .failure(let error as DistributedError) = result else {
                    Issue.record("rank \(odd) was not found out")
                    continue
                }
                #expect(error.rank == odd && error.code == .mismatch)
                #expect(error.message.hasPrefix("reduce: rank \(odd) passed a tensor of int32 and shape [1]"))
            }
        }
    }

    @Test func reductions() async throws {
        func reduce<Element: TensorElement>(
            _ reduction: Reduction, _ values: [[Element]]
        ) async throws -> [Element] {
            try tensors(
                await withRanks(values.count) { accelerator in
                    try await accelerator.reduce(HostTensor(values[accelerator.processIndex]), reduction)
                }
            ).elements()
        }
        #expect(try await reduce(.sum, [[1, 2], [10, 20], [100, 200]] as [[Float]]) == [111, 222])
        #expect(try await reduce(.mean, [[1, 2], [3, 4]] as [[Float]]) == [2, 3])
        #expect(try await reduce(.max, [[1, 5], [3, 4]] as [[Int32]]) == [3, 5])
        #expect(try await reduce(.min, [[1, 5], [3, 4]] as [[Int64]]) == [1, 4])
        #expect(try await reduce(.sum, [[127], [1]] as [[Int8]]) == [-128])
        #expect(try await reduce(.max, [[.nan, 1], [1, .nan]] as [[Float]]).allSatisfy(\.isNaN))
        // In rank order: any other order gives another sum.
        let values: [[Float]] = [[1e8], [1], [-1e8], [1]]
        #expect(try await reduce(.sum, values) == [((1e8 + 1) - 1e8) + 1])
        let results = await withRanks(2) { _ = try await $0.reduce(HostTensor([Int32(1)]), .mean) }
        for result in results { #expect(result.message == "reduce: there is no mean of int32") }
    }

    @Test(arguments: [DType.float16, .bfloat16])
    func halfPrecisionRoundsOnce(dtype: DType) async throws {
        // 1 and twice half a unit of the last place: rounding after every step would lose both.
        let patterns: [UInt16] = dtype == .float16 ? [0x3C00, 0x1000, 0x1000] : [0x3F80, 0x3B80, 0x3B80]
        let expected: [UInt16] = dtype == .float16 ? [0x3C01] : [0x3F81]
        let sum = try tensors(
            await withRanks(3) { accelerator in
                let bits = [patterns[accelerator.processIndex]]
                return try await accelerator.reduce(
                    HostTensor(shape: Shape([1]), dtype: dtype, bytes: bits.withUnsafeBytes { Array($0) }))
            })
        #expect(sum.bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) } == expected)
    }

    @Test func broadcastChecksWhatTheOthersExpect() async throws {
        let sent = try tensors(
            await withRanks(3) { accelerator in
                let own = try HostTensor([Float(accelerator.processIndex), 1])
                return try await accelerator.broadcast(accelerator.processIndex == 2 ? nil : own, from: 1)
            })
        #expect(try sent.elements() == [1, 1] as [Float])
        let results = await withRanks(3) { accelerator in
            _ = try await accelerator.broadcast(
                HostTensor([Float](repeating: 0, count: accelerator.processIndex == 2 ? 3 : 2)))
        }
        for result in results {
            #expect(
                result.message
                    == "broadcast: rank 2 passed a tensor of float32 and shape [3], rank 0 sends one of float32 and shape [2]"
            )
        }
        let none = await withRanks(2) { _ = try await $0.broadcast(nil, from: 1) }
        for result in none { #expect(result.message == "broadcast: rank 1, the source, passed no tensor") }
    }

    @Test func paddingAcrossProcesses() async throws {
        let padded = await withRanks(3) { accelerator in
            let own = (1...accelerator.processIndex + 1).map { Int32($0) }
            return [
                try await accelerator.padAcrossProcesses(HostTensor(own)),
                try await accelerator.padAcrossProcesses(
                    HostTensor(own + own, shape: [2, own.count]), dim: -1, padIndex: -1, padFirst: true),
            ]
        }
        let own = try padded.map { try $0.get().map { try $0.elements(as: Int32.self) } }
        #expect(own.map { $0[0] } == [[1, 0, 0], [1, 2, 0], [1, 2, 3]])
        #expect(own.map { $0[1] } == [[-1, -1, 1, -1, -1, 1], [-1, 1, 2, -1, 1, 2], [1, 2, 3, 1, 2, 3]])

        for (dim, padIndex, part) in [
            (1, 0, "has no dimension 1"), (-2, 0, "has no dimension -2"), (0, 300, "cannot hold 300"),
        ] {
            let results = await withRanks(2) { accelerator in
                _ = try await accelerator.padAcrossProcesses(
                    HostTensor([UInt8](repeating: 1, count: accelerator.processIndex + 1)), dim: dim, padIndex: padIndex
                )
            }
            for result in results { #expect(result.message?.contains(part) == true, "\(result)") }
        }
        let results = await withRanks(3) { accelerator in
            let columns = accelerator.processIndex == 1 ? 3 : 2
            _ = try await accelerator.padAcrossProcesses(
                HostTensor([Float](repeating: 0, count: columns), shape: [1, columns]))
        }
        for result in results { #expect(result.message?.hasPrefix("padAcrossProcesses: rank 1 passed") == true) }
    }
}
