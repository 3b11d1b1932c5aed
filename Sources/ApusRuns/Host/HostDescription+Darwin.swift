#if canImport(Darwin)
    import Darwin

    extension HostDescription {
        mutating func describeSystem() {
            platform = Self.kernel
            processor = Self.text("machdep.cpu.brand_string") ?? processor
            instructionSets = ["FEAT_DotProd", "FEAT_I8MM", "FEAT_BF16", "FEAT_SME"].filter {
                Self.number("hw.optional.arm." + $0) == 1
            }
        }

        private static func number(_ name: String) -> Int? {
            var value = 0
            var size = MemoryLayout<Int>.size
            return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : nil
        }

        private static func text(_ name: String) -> String? {
            var bytes = [UInt8](repeating: 0, count: 256)
            var size = bytes.count
            guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
#endif
