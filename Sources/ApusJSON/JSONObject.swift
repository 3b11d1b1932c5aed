/// The members of a JSON object in the order in which they were written.
package struct JSONObject: Sendable {
    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package private(set) var members: [Member]
    /// Present only for objects large enough that a scan would cost more than a hash.
    private var positions: [ExactString: Int]?

    private static let scanLimit = 16

    /// Of members with one key, the last counts, as in Python's `json`.
    package init(_ members: [Member] = []) {
        self.members = members
        guard members.count > Self.scanLimit else { return }
        var positions: [ExactString: Int] = [:]
        positions.reserveCapacity(members.count)
        for (position, member) in members.enumerated() { positions[ExactString(member.key)] = position }
        self.positions = positions
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }

    /// The first key that stands twice, if any.
    package var duplicateKey: String? {
        var seen = Set<ExactString>(minimumCapacity: members.count)
        return members.first { !seen.insert(ExactString($0.key)).inserted }?.key
    }

    package subscript(key: String) -> JSONValue? {
        if let positions { return positions[ExactString(key)].map { members[$0].value } }
        return members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    package mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
        if positions != nil {
            positions?[ExactString(key)] = members.count - 1
        } else if members.count > Self.scanLimit {
            self = JSONObject(members)
        }
    }
}

extension JSONObject: Equatable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool { left.members == right.members }
}

extension JSONObject: Sequence {
    package func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { Member(key: $0.0, value: $0.1) })
    }
}
