import ApusRuns

/// Where everything goes that is no result.
enum StandardError {
    static let isTerminal = OutputDescriptor.standardError.isTerminal

    /// Writes one line at once, so that lines of several processes never mix.
    static func write(_ line: String) { raw(line + "\n") }

    /// A message that cannot be written is lost; there is nowhere left to say so.
    static func raw(_ text: String) { try? OutputDescriptor.standardError.write(text.utf8) }
}
