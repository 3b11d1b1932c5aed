import ApusJSON

/// Which file of a repository of GGUF files is meant.
package enum GGUFChoice: Sendable, Equatable {
    /// Q4_K_M, else the only one.
    case standard
    case quantization(String)
    case file(String)
}

/// The models among the GGUF files of a repository; each is one file, or parts that belong together.
package struct GGUFFiles: Sendable {
    package struct Model: Sendable, Equatable {
        /// In order; the first names the model.
        package var parts: [String]
        /// What the names of the parts say of their number, 1 for a whole file.
        package let count: Int

        package init(parts: [String], count: Int) { (self.parts, self.count) = (parts, count) }

        package var name: String { parts[0] }
        package var isComplete: Bool { parts.count == count }
    }

    /// In the order of their names.
    package let models: [Model]

    private static let ending = ".gguf"
    private static let standard = "Q4_K_M"

    package static func isOne(_ name: String) -> Bool { name.lowercased().hasSuffix(ending) }

    /// - Parameter names: paths of all files. Projectors of pictures (`mmproj-*`) and importance matrices (`imatrix*`) are no
    ///   models, and passed over.
    package init(_ names: [String]) {
        var models: [Model] = []
        var places: [ExactString: Int] = [:]
        for name in names.sorted() where Self.isOne(name) {
            let last = (name.split(separator: "/").last ?? "").lowercased()
            guard !["mmproj", "imatrix"].contains(where: last.hasPrefix) else { continue }
            guard let split = Self.split(name) else {
                models.append(Model(parts: [name], count: 1))
                continue
            }
            let whole = ExactString("\(split.prefix) \(split.count)")
            if let place = places[whole] {
                models[place].parts.append(name)
            } else {
                places[whole] = models.count
                models.append(Model(parts: [name], count: split.count))
            }
        }
        self.models = models
    }

    /// `NAME-00001-of-00003.gguf`.
    private static func split(_ name: String) -> (prefix: String, count: Int)? {
        let words = name.dropLast(ending.count).split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 4, words[words.count - 2] == "of", let count = number(words[words.count - 1]),
            let part = number(words[words.count - 3]), (1...max(count, 1)).contains(part)
        else { return nil }
        return (words.dropLast(3).joined(separator: "-"), count)
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.count == 5 && digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(digits) : nil
    }

    /// The model that is meant; `nil` if there is none of that name.
    /// Throws `HubError` (`.ambiguous`) naming those of which one must be chosen.
    package func picked(_ choice: GGUFChoice, of repository: String) throws(HubError) -> Model? {
        switch choice {
        case .file(let file): return models.first { $0.parts.contains(file) }
        case .quantization(let quantization):
            let found = models.filter { Self.names($0.name, quantization) }
            if found.count > 1 { throw ambiguous(found, repository, "of \(quantization)") }
            return found.first
        case .standard:
            let found = models.filter { Self.names($0.name, Self.standard) }
            if found.count == 1 { return found[0] }
            if models.count > 1 {
                throw ambiguous(found.isEmpty ? models : found, repository, found.isEmpty ? "" : "of \(Self.standard)")
            }
            return models.first
        }
    }

    private func ambiguous(_ models: [Model], _ repository: String, _ what: String) -> HubError {
        let names = models.map(\.name).joined(separator: ", ")
        let example = models.first.map { "\(repository)/\($0.name)" } ?? repository
        return HubError(
            code: .ambiguous,
            message:
                "\(repository): holds \(models.count) GGUF models\(what.isEmpty ? "" : " \(what)"); name one, as in "
                + "\(example): \(names)")
    }

    /// Whether a file's name has a quantization's among its words, in capitals or not: `Q4_K` is not in `x-Q4_K_M.gguf`.
    private static func names(_ file: String, _ quantization: String) -> Bool {
        let (text, wanted) = (Array(file.lowercased().utf8), Array(quantization.lowercased().utf8))
        guard !wanted.isEmpty, wanted.count <= text.count else { return false }
        func isLetter(_ index: Int) -> Bool {
            guard text.indices.contains(index) else { return false }
            return (0x30...0x39).contains(text[index]) || (0x61...0x7A).contains(text[index])
        }
        return (0...text.count - wanted.count).contains { start in
            let end = start + wanted.count
            return text[start..<end].elementsEqual(wanted) && !isLetter(start - 1) && !isLetter(end)
                && (!text.indices.contains(end) || text[end] != UInt8(ascii: "_"))
        }
    }
}
