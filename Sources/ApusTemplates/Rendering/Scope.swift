/// The names of a part of a template that is being rendered.
final class Scope {
    var values: [String: Value]
    let parent: Scope?
    /// Whether a macro keeps it, so that it has to be emptied in the end.
    var isKept = false

    init(_ values: [String: Value], parent: Scope?) {
        self.values = values
        self.parent = parent
    }

    func lookup(_ name: String) -> Value? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.values[name] { return value }
            scope = current.parent
        }
        return nil
    }
}
