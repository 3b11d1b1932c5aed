import ApusHub

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension HubError {
    /// What the system has just said of a file of the cache.
    static func unwritable(_ path: String) -> HubError {
        let number = errno
        let reason = String(cString: strerror(number)).lowercased()
        let help =
            number == ENOSPC || number == EDQUOT ? "; what has come stays, and the next download goes on with it" : ""
        return HubError(code: .cache, message: "\(path): cannot be written: \(reason)\(help)")
    }
}
