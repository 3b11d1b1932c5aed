import ApusHub

/// The proxy that the environment names, as curl and Python read it.
struct ProxyChoice: Equatable {
    let host: String
    let port: Int
    /// In base 64.
    let credentials: String?

    init?(_ environment: HubEnvironment) {
        guard let hub = HTTPAddress(environment.endpoint) else { return nil }
        let names = ["\(hub.origin.scheme)_proxy", "\(hub.origin.scheme)_proxy".uppercased(), "all_proxy", "ALL_PROXY"]
        guard let text = names.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) else { return nil }
        let excluded = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
        for part in excluded.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let name = part.drop { $0 == "." || $0 == "*" }.lowercased()
            if part == "*" || hub.origin.host == name || hub.origin.host.hasSuffix(".\(name)") { return nil }
        }
        let plain = text.contains("://") ? text : "http://\(text)"
        guard let start = plain.firstRange(of: "://")?.upperBound else { return nil }
        let rest = plain[start...]
        let at = rest.lastIndex(of: "@")
        credentials = at.map { Self.base64(Array(rest[..<$0].utf8)) }
        let place = at.map { rest[rest.index(after: $0)...] } ?? rest
        guard let address = HTTPAddress("http://\(place)") else { return nil }
        (host, port) = (address.origin.host, address.origin.port)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let three = bytes[start..<min(start + 3, bytes.count)]
            let bits = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
            for index in 0..<4 {
                text.append(index <= three.count ? digits[bits >> (18 - 6 * index) & 63] : "=")
            }
        }
        return text
    }
}
