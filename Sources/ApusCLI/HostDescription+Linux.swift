#if os(Linux)
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    extension HostDescription {
        private static let known: Set<Substring> = [
            "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
            "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8",
            "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2", "sme",
        ]

        mutating func describeSystem() {
            let system = Self.field("PRETTY_NAME", in: Self.beginning(of: "/etc/os-release"), separator: "=")
            platform = Self.kernel + (system.map { " (\($0.filter { $0 != "\"" }))" } ?? "")
            // One core's record is enough, and a full read takes long where there are many.
            let processors = Self.beginning(of: "/proc/cpuinfo")
            processor =
                Self.field("model name", in: processors) ?? Self.field("CPU implementer", in: processors) ?? processor
            let flags = Self.field("flags", in: processors) ?? Self.field("Features", in: processors) ?? ""
            instructionSets = flags.split(separator: " ").filter(Self.known.contains).map(String.init)
            cores = Self.allowedCores
        }

        /// From the mask of the cores this process may run on, hexadecimal with commas.
        private static var allowedCores: Int {
            let mask = field("Cpus_allowed", in: beginning(of: "/proc/self/status")) ?? ""
            let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
            return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
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

        private static func beginning(of path: String) -> String {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return "" }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 8192)
            let count = read(descriptor, &bytes, bytes.count)
            return String(decoding: bytes[..<max(count, 0)], as: UTF8.self)
        }
    }
#endif
