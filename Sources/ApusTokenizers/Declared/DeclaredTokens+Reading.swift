import ApusJSON

extension DeclaredTokens {
    fileprivate static let extraKey = "extra_special_tokens"
    fileprivate static let olderExtraKey = "additional_special_tokens"

    init(_ files: DeclaringFiles) throws(TokenizerError) {
        takesOwn = files.listedTokens == nil
        for name in Self.standardNames { try readStandard(name, files) }
        try readSpecific(files)
        let special = try readExtra(files)
        if let listed = files.listedTokens {
            try readList(listed)
        } else if let file = files.addedTokens {
            try readAddedTokens(file, special: special.union(namesKnownAsSpecial(files)))
        }
    }

    private mutating func readStandard(_ name: String, _ files: DeclaringFiles) throws(TokenizerError) {
        guard let file = files.file(for: name) else { return }
        standard.updateValue(try file.declaration(name, isSpecial: files.isSpecial(name)), forKey: name)
    }

    /// Keys that end in `_token`, and names under `extra_special_tokens`. The latter, and what is text in
    /// tokenizer_config.json, count before the rest.
    private mutating func readSpecific(_ files: DeclaringFiles) throws(TokenizerError) {
        var names = NamedTokens()
        for (name, value) in files.configuration?.specificTokens() ?? [] {
            if let text = value.string {
                names.set(name, TokenDeclaration(text: text))
            } else if let file = files.configuration, value["__type"]?.string == "AddedToken",
                files.specialTokensMap?.has(name) != true
            {
                specific.set(name, try TokenDeclaration(value, at: "\(file.place).\(name)"))
            }
        }
        if let map = files.specialTokensMap {
            for (name, value) in map.specificTokens() where value.string != nil || value.object != nil {
                specific.set(name, try TokenDeclaration(value, at: "\(map.place).\(name)", isSpecial: true))
            }
        }
        if let file = files.configuration {
            names.merge(try file.names(file.extraKey))
            // What transformers itself writes for names that do not end in `_token`.
            if names.isEmpty { names = try file.names("model_specific_special_tokens") }
        }
        specific.merge(names)
        specific.merge(try files.specialTokensMap?.names(Self.extraKey) ?? NamedTokens())
    }

    /// - Returns: the texts that added_tokens.json takes for special.
    private mutating func readExtra(_ files: DeclaringFiles) throws(TokenizerError) -> Set<ExactString> {
        var special: Set<ExactString> = []
        var isDeclared = false
        if let file = files.configuration, file.has(file.extraKey), file.value[file.extraKey]?.object == nil {
            isDeclared = true
            extra = try file.declarations(file.extraKey)
            special = Set(extra.filter(\.isText).map(\.content))
        }
        if let map = files.specialTokensMap, map.has(Self.extraKey) {
            // Names and null take the place of a list in tokenizer_config.json; a list continues it.
            let isNames = map.value[Self.extraKey]?.object != nil
            isDeclared = !isNames
            if isNames || map.optional(Self.extraKey) == nil { (extra, special) = ([], []) }
            let more = isNames ? [] : try map.declarations(Self.extraKey, isSpecial: true)
            extra += more
            special.formUnion(more.map(\.content))
        }
        // The older key is left for where no list came under the newer one.
        let older = Self.olderExtraKey
        let isTaken = files.isSpecial(older) == nil && files.configuration?.extraKey == older
        if !isDeclared, !isTaken, let file = files.file(for: older) {
            extra = try file.declarations(older, isSpecial: files.isSpecial(older))
        }
        return special
    }

    /// What added_tokens.json takes for special of the standard names. An object of tokenizer_config.json is not: the
    /// reference has not read it as a token at that point.
    private func namesKnownAsSpecial(_ files: DeclaringFiles) -> [ExactString] {
        standard.compactMap { name, declaration in
            let isRead = declaration?.isText == true || files.isSpecial(name) == true
            return isRead ? declaration?.content : nil
        }
    }

    private mutating func readList(_ list: ComponentConfiguration) throws(TokenizerError) {
        for member in list.members {
            guard let number = Int(member.key) else {
                throw .malformed("\(list.place) must have ids for keys, not \(member.key.quoted)")
            }
            numbered.append(NumberedToken(number: number, token: try AddedToken(list.component(member.key))))
        }
    }

    private mutating func readAddedTokens(_ file: ComponentConfiguration, special: Set<ExactString>)
        throws(TokenizerError)
    {
        for member in file.members {
            guard let number = member.value.integer else {
                throw file.mismatch(member.key, member.value, expected: "an integer")
            }
            let isSpecial = special.contains(ExactString(member.key))
            // One that turns out to be special later stays normalized.
            let token = AddedToken(member.key, isSpecial: isSpecial, isNormalized: !isSpecial)
            numbered.append(NumberedToken(number: number, token: token))
        }
    }
}

extension ComponentConfiguration {
    /// The token that a member declares; `nil` for null.
    fileprivate func declaration(_ key: String, isSpecial: Bool?) throws(TokenizerError) -> TokenDeclaration? {
        guard let member = optional(key) else { return nil }
        return try TokenDeclaration(member, at: "\(place).\(key)", isSpecial: isSpecial)
    }

    /// The tokens that a list declares; none for null.
    fileprivate func declarations(_ key: String, isSpecial: Bool? = nil) throws(TokenizerError) -> [TokenDeclaration] {
        guard optional(key) != nil else { return [] }
        var declarations: [TokenDeclaration] = []
        for (index, element) in try array(key).enumerated() {
            declarations.append(try TokenDeclaration(element, at: "\(place).\(key)[\(index)]", isSpecial: isSpecial))
        }
        return declarations
    }

    fileprivate func specificTokens() -> [(name: String, value: JSONValue)] {
        members.filter { $0.key.hasSuffix("_token") && !DeclaredTokens.standardNames.contains($0.key) }
            .filter { $0.key != "add_bos_token" && $0.key != "add_eos_token" }.map { ($0.key, $0.value) }
    }

    /// The tokens of an object that names them; none where a member is something else.
    fileprivate func names(_ key: String) throws(TokenizerError) -> NamedTokens {
        var names = NamedTokens()
        for member in value[key]?.object ?? JSONObject() {
            names.set(member.key, try TokenDeclaration(member.value, at: "\(place).\(key).\(member.key)"))
        }
        return names
    }

    /// Where tokenizer_config.json has its extra tokens: under the older key where the newer one holds nothing.
    fileprivate var extraKey: String {
        let (key, older) = (DeclaredTokens.extraKey, DeclaredTokens.olderExtraKey)
        let found = optional(key)
        let isEmpty = found == nil || found?.array?.isEmpty == true || found?.object?.isEmpty == true
        return isEmpty && has(older) ? older : key
    }
}
