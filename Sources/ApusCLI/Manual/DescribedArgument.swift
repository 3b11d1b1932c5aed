import ApusJSON

/// An argument, an option or a flag of a described command.
struct DescribedArgument {
    /// With their dashes; none for what is told by its place.
    let names: [String]
    /// What stands for the value; `nil` for flags.
    let value: String?
    let isOptional: Bool
    let isRepeating: Bool
    let section: String
    let abstract: String

    /// `nil` for what is hidden or no argument.
    init?(_ value: JSONValue) {
        guard let kind = value["kind"]?.string, value["shouldDisplay"]?.bool != false else { return nil }
        names = (value["names"]?.array ?? []).compactMap { name in
            name["name"]?.string.map { (name["kind"]?.string == "long" ? "--" : "-") + $0 }
        }.sorted { $0.count < $1.count }
        self.value = kind == "flag" ? nil : value["valueName"]?.string ?? ""
        isOptional = value["isOptional"]?.bool ?? true
        isRepeating = value["isRepeating"]?.bool ?? false
        section = value["sectionTitle"]?.string ?? (names.isEmpty ? "Arguments" : "Options")
        let values = (value["allValues"]?.array ?? []).compactMap(\.string)
        let facts = [
            values.isEmpty ? nil : "values: " + values.joined(separator: ", "),
            value["defaultValue"]?.string.map { "default: " + $0 },
        ].compactMap { $0 }.joined(separator: "; ")
        abstract = (value["abstract"]?.string ?? "") + (facts.isEmpty ? "" : " (\(facts))")
    }
}
