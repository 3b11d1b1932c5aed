/// An address of HTTP, its path and query as they are written: signed ones must come back byte for byte.
package struct HTTPAddress: Sendable, Equatable, CustomStringConvertible {
    /// Who answers: a token given to one is for no other.
    package struct Origin: Sendable, Equatable {
        package let scheme: String
        package let host: String
        package let port: Int
    }

    package let origin: Origin
    /// With the query.
    package let path: String
    private let written: String

    package init?(_ text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        // Whoever writes a password into an address sends it along with every one.
        guard !authority.isEmpty, !authority.contains("@"), !authority.contains("\\") else { return nil }
        let (host, port) = Self.parts(authority)
        guard !host.isEmpty, let number = port.isEmpty ? (scheme == "https" ? 443 : 80) : Int(port),
            (1...65535).contains(number)
        else { return nil }
        origin = Origin(scheme: scheme, host: host.lowercased(), port: number)
        let path = rest[authority.endIndex...]
        self.path = path.first == "/" ? String(path) : "/" + path
        written = "\(scheme)://\(authority)"
    }

    private static func parts(_ authority: Substring) -> (host: Substring, port: Substring) {
        // An address of version 6 has colons between brackets.
        let end = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[end...].lastIndex(of: ":") else { return (authority, "") }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    package var description: String { written + path }

    /// What a `Location` means that comes from here; `nil` for other schemes.
    package func following(_ location: String) -> HTTPAddress? {
        if location.hasPrefix("//") { return HTTPAddress("\(origin.scheme):\(location)") }
        if location.hasPrefix("/") { return HTTPAddress(written + location) }
        if location.contains("://") { return HTTPAddress(location) }
        let folder = path.prefix { $0 != "?" }
        let end = folder.lastIndex(of: "/").map { folder.index(after: $0) } ?? folder.startIndex
        return HTTPAddress(written + folder[..<end] + location)
    }

    /// A part of a path as it is written in an address (RFC 3986); `/` stays where it separates.
    package static func escaped(_ text: String, keepsSlashes: Bool) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "/") where keepsSlashes: escaped += "/"
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.count < 2 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return escaped
    }
}
