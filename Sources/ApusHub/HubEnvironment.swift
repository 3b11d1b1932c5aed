#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the variables of huggingface_hub say, as it reads them (constants.py of version 2.4).
package struct HubEnvironment: Sendable {
    private let variables: [String: String]

    package init(_ variables: [String: String]) { self.variables = variables }

    package static var current: HubEnvironment {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return HubEnvironment(variables)
    }

    package subscript(name: String) -> String? { variables[name] }

    /// Where repositories are kept: the first of HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
    /// XDG_CACHE_HOME/huggingface/hub and ~/.cache/huggingface/hub. One that is set and empty counts, as there.
    package var cachePath: String {
        expanded(variables["HF_HUB_CACHE"] ?? variables["HUGGINGFACE_HUB_CACHE"] ?? Self.joined(homePath, "hub"))
    }

    private var homePath: String {
        expanded(
            variables["HF_HOME"]
                ?? Self.joined(
                    variables["XDG_CACHE_HOME"] ?? Self.joined(withoutTilde("~"), ".cache"), "huggingface"))
    }

    /// The hub's address, without a slash at its end.
    package var endpoint: String {
        var text = variables["HF_ENDPOINT"] ?? "https://huggingface.co"
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    package var isOffline: Bool {
        let first = variables["HF_HUB_OFFLINE"] ?? ""
        return Self.isTrue(first.isEmpty ? variables["TRANSFORMERS_OFFLINE"] : first)
    }

    package var disablesLinks: Bool { Self.isTrue(variables["HF_HUB_DISABLE_SYMLINKS"]) }

    /// What shows who asks; from a variable, else from the file that `hf auth login` writes.
    package var token: String? {
        let given = [variables["HF_TOKEN"], variables["HUGGING_FACE_HUB_TOKEN"]].compactMap(\.self)
        if let token = given.first(where: { !$0.isEmpty }) { return Self.cleaned(token) }
        guard !Self.isTrue(variables["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) else { return nil }
        let path = expanded(variables["HF_TOKEN_PATH"] ?? Self.joined(homePath, "token"))
        return SmallFile.text(path).flatMap(Self.cleaned)
    }

    private static func cleaned(_ token: String) -> String? {
        let bytes = token.utf8.filter { $0 > 0x20 && $0 < 0x7F }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static func isTrue(_ value: String?) -> Bool {
        ["1", "ON", "YES", "TRUE"].contains(value?.uppercased() ?? "")
    }

    // MARK: Python's paths

    private static func joined(_ folder: String, _ name: String) -> String {
        folder.isEmpty || folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    private func expanded(_ path: String) -> String { withoutVariables(withoutTilde(path)) }

    /// `os.path.expanduser`.
    private func withoutTilde(_ path: String) -> String {
        guard path.first == "~" else { return path }
        let end = path.firstIndex(of: "/") ?? path.endIndex
        let user = path[path.index(after: path.startIndex)..<end]
        var home: String
        if user.isEmpty, let own = variables["HOME"] {
            home = own
        } else {
            let entry = user.isEmpty ? getpwuid(getuid()) : getpwnam(String(user))
            guard let folder = entry?.pointee.pw_dir else { return path }
            home = String(cString: folder)
        }
        while home.hasSuffix("/") { home.removeLast() }
        let whole = home + path[end...]
        return whole.isEmpty ? "/" : whole
    }

    /// `os.path.expandvars`: `$NAME` and `${NAME}`; what is not set stays as it is written.
    private func withoutVariables(_ path: String) -> String {
        var (text, rest) = ("", path[...])
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[dollar...]
            let name = rest.dropFirst()
            let inBraces = name.first == "{" ? name.dropFirst().prefix { $0 != "}" } : nil
            let plain = name.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            let (key, written): (Substring, Substring)
            if let inBraces, inBraces.endIndex < rest.endIndex {
                (key, written) = (inBraces, rest[...inBraces.endIndex])
            } else {
                (key, written) = (plain, rest[..<plain.endIndex])
            }
            text += variables[String(key)] ?? String(written)
            rest = rest[written.endIndex...]
        }
        return text + rest
    }
}
