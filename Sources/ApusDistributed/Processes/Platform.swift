#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The C library's calls that Swift's type checker would take for something of ours.
enum Platform {
    /// What the system says about an error number.
    static func describe(_ error: Int32) -> String { String(cString: strerror(error)) }

    static func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// All of the process's environment.
    static var environment: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}
