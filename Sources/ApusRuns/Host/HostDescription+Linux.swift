#if os(Linux)
    import ApusCPU

    extension HostDescription {
        private static let known: Set<Substring> = [
            "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
            "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8",
            "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2", "sme",
        ]

        mutating func describeSystem() {
            let system = Self.field(
                "PRETTY_NAME", in: SystemFile.contents("/etc/os-release", most: 8192), separator: "=")
            platform = Self.kernel + (system.map { " (\($0.filter { $0 != "\"" }))" } ?? "")
            // One core's record is enough, and a full read takes long where there are many.
            let processors = SystemFile.contents("/proc/cpuinfo", most: 8192)
            processor =
                Self.field("model name", in: processors) ?? Self.field("CPU implementer", in: processors) ?? processor
            let flags = Self.field("flags", in: processors) ?? Self.field("Features", in: processors) ?? ""
            instructionSets = flags.split(separator: " ").filter(Self.known.contains).map(String.init)
        }

        private static func field(_ name: String, in text: String, separator: Character = ":") -> String? {
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: separator, maxSplits: 1)
                guard parts.count == 2, trimmed(parts[0]) == name else { continue }
                return trimmed(parts[1])
            }
            return nil
        }

        private static func trimmed(_ text: Substring) -> String {
            let rest = text.drop { $0 == " " || $0 == "\t" }
            return String(rest.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
    }
#endif
