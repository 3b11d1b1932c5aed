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
