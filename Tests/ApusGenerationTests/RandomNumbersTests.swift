import ApusGeneration
import Testing

@Suite struct RandomNumbersTests {
    /// The known answers of Random123 (`kat_vectors`, philox4x32 10).
    @Test func philoxGivesTheKnownAnswers() {
        #expect(
            PhiloxGenerator(key: SIMD2(0, 0)).words(at: SIMD4(0, 0, 0, 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            PhiloxGenerator(key: SIMD2(repeating: .max)).words(at: SIMD4(repeating: .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            PhiloxGenerator(key: SIMD2(0xa409_3822, 0x299f_31d0))
                .words(at: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func everyPartOfTheKeyCounts() {
        var seen: Set<Double> = []
        for seed in [0, 1, 1 << 32, UInt64.max] {
            for prompt in [0, 1, 1 << 32, -1] {
                for sequence in [0, 1, 4095] {
                    for step in [0, 1, 1 << 31] {
                        let random = RandomNumbers(seed: seed, promptIndex: prompt, sequence: sequence)
                        let number = random.uniform(step: step)
                        #expect(number >= 0 && number < 1)
                        seen.insert(number)
                    }
                }
            }
        }
        #expect(seen.count == 144)
    }

    @Test func isUniform() {
        var counts = Array(repeating: 0, count: 100)
        for prompt in 0..<100 {
            let random = RandomNumbers(seed: 7, promptIndex: prompt)
            for step in 0..<1000 { counts[Int(random.uniform(step: step) * 100)] += 1 }
        }
        let statistic = counts.reduce(0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
        // 99 degrees of freedom: 0.1 % of random streams lie above 148.2, 0.1 % below 60.
        #expect(statistic < 148.2 && statistic > 60)
    }
}
