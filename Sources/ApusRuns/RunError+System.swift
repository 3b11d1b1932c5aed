#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension RunError {
    /// What a person can mend by making room is worth another try.
    private static let ofTheMoment = [ENOSPC, EDQUOT, EFBIG, EIO]

    /// What the system has just said of a file that was to be written.
    static func cannotWrite(_ name: String, _ consequence: String = "") -> RunError {
        let number = errno
        return RunError(
            "\(name) cannot be written\(consequence): \(String(cString: strerror(number)))",
            code: ofTheMoment.contains(number) ? .tryAgain : .refused)
    }

    /// What the system has just said of a file that was to be read.
    static func cannotRead(_ name: String) -> RunError {
        RunError("\(name) cannot be read: \(String(cString: strerror(errno)))")
    }
}
