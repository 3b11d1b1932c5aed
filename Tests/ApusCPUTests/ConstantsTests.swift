import ApusCPU
import ApusCompute
import CApusKernels
import Testing

/// What C and Swift must agree on, since each computes with its own.
@Suite struct ConstantsTests {
    @Test func blocksAndGroups() {
        #expect(Int(APUS_KV_BLOCK) == KVCacheLayout.blockSize)
        #expect(Int(APUS_GROUP) == WeightFormat.groupSize)
        #expect(InstructionSet.allCases.count == Int(APUS_ISA_COUNT))
        #expect(InstructionSet.amxBF16.rawValue == Int(APUS_ISA_AMX_BF16.rawValue))
        #expect(InstructionSet.neonBF16.rawValue == Int(APUS_ISA_NEON_BF16.rawValue))
    }

    /// The alignment of a row, and scales beside bytes.
    @Test(arguments: [(DType.float32, APUS_F32.rawValue), (.bfloat16, APUS_BF16.rawValue), (.int8, APUS_I8.rawValue)])
    func bytesOfABlock(_ dtype: DType, _ type: UInt32) {
        for headDim in 1...130 {
            let layout = KVCacheLayout(blocks: 1, kvHeads: 1, headDim: headDim, dtype: dtype)
            #expect(
                2 * apus_kv_bytes(apus_dtype(type), headDim) == layout.bytesPerToken * KVCacheLayout.blockSize,
                "\(headDim)")
        }
    }

    @Test(arguments: InstructionSet.available)
    func namesOfInstructionSets(_ set: InstructionSet) throws {
        let kernels = try #require(apus_kernels_for(apus_isa(UInt32(set.rawValue)))).pointee
        #expect(String(cString: kernels.name) == set.description)
    }
}

@Suite struct PreparedSizeTests {
    /// What a format says a shape will take is what the device hands out for it.
    @Test(arguments: WeightFormat.named)
    func sizesAreKnownBeforehand(_ format: WeightFormat) throws {
        for (outputs, inputs) in [(1, 1), (16, 32), (17, 33), (100, 64), (160, 200), (48, 1000)] {
            let device = try CPUDevice(threads: 1)
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: outputs * inputs * 4, alignment: 64)
            defer { bytes.deallocate() }
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            let source = try WeightSource(
                name: "w", bytes: UnsafeRawBufferPointer(bytes), owner: 0, shape: Shape([outputs, inputs]),
                format: .float32)
            let weight = try device.prepare(source, as: format)
            let expected = format.preparedByteCount(outputs: outputs, inputs: inputs)
            #expect(device.memory.current == expected && weight.ownedByteCount == expected, "\(outputs) × \(inputs)")
            // The rows of a table come out of the panels as they went in.
            withExtendedLifetime(weight) {}
        }
    }
}
