/// What rendering a template may take. Templates come from model repositories: nobody has checked them.
package struct Limits: Sendable {
    package var time: Duration
    /// Bytes of the rendered text.
    package var outputByteCount: Int
    /// Bytes of all values that are alive at once, about.
    package var memoryByteCount: Int

    package init(
        time: Duration = .seconds(10), outputByteCount: Int = 16 << 20, memoryByteCount: Int = 256 << 20
    ) {
        self.time = time
        self.outputByteCount = outputByteCount
        self.memoryByteCount = memoryByteCount
    }

    /// How deep values, expressions and calls nest. jinja2 gives up at about 200, since Python's own stack ends there.
    static let nesting = 250
    /// Bytes of stack that parsing and rendering may use on their thread.
    static let stackByteCount = 96 << 20
}
