#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The terminal that standard error goes to, if it is one.
enum Terminal {
    /// Whether a line can be taken back and written again. `dumb` names terminals that only ever go on.
    static let canRewrite: Bool = {
        guard StandardError.isTerminal, let kind = getenv("TERM") else { return false }
        return !["", "dumb"].contains(String(cString: kind))
    }()

    /// Columns, asked for each time: windows are resized. What the terminal knows counts before `COLUMNS`, which a shell
    /// may have set long ago.
    static var width: Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    /// As much of a line as one row holds without its last column, where some terminals wrap at once.
    static func cut(_ line: String, to width: Int = width) -> Substring {
        var columns = 0
        return line.prefix { character in
            // What is not ASCII may be two columns wide.
            columns += character.isASCII ? 1 : 2
            return columns < width
        }
    }
}
