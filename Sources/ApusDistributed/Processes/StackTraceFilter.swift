/// Leaves out the stack trace that Swift's runtime prints when an error reaches the top of a program: one sentence on
/// what happened stands before it, and for an error thrown elsewhere the trace shows nothing of the program.
struct StackTraceFilter: Sendable {
    private var isInside = false

    private static let heading = Array("Current stack trace:".utf8)

    /// Whether to show the line, given without its end.
    mutating func shows(_ line: some Collection<UInt8>) -> Bool {
        if line.elementsEqual(Self.heading) {
            isInside = true
        } else if isInside {
            isInside = Self.isFrame(line)
        }
        return !isInside
    }

    /// `12   libc.so.6   0x00007fbd8bf278ec <unavailable> + 1087724`
    private static func isFrame(_ line: some Collection<UInt8>) -> Bool {
        let words = line.split(separator: UInt8(ascii: " "))
        return words.count > 2 && words[0].allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            && words.contains { $0.starts(with: Array("0x".utf8)) }
    }
}
