import ApusJSON

/// A place in the tree of a checkpoint's weight names: `weights["model"]["layers"][3]["self_attn"]["q_proj"]`.
///
/// All cursors that come from one keep a common ledger of the names asked for. A rank of a tensor-parallel group will ask
/// for its part of a tensor through the cursor as well; for now every request is for the whole.
package struct WeightCursor: Sendable {
    package let checkpoint: Checkpoint

    /// The dotted name so far, empty at the root.
    package let path: String

    private let ledger: WeightLedger

    package init(_ checkpoint: Checkpoint) {
        self.checkpoint = checkpoint
        path = ""
        ledger = WeightLedger()
    }

    /// The top of the tree that a place is in.
    package init(root place: WeightCursor) { self.init(place, path: "") }

    private init(_ parent: WeightCursor, path: String) {
        checkpoint = parent.checkpoint
        ledger = parent.ledger
        self.path = path
    }

    package subscript(component: String) -> WeightCursor { WeightCursor(self, path: fullName(component)) }
    package subscript(index: Int) -> WeightCursor { self[String(index)] }

    private func fullName(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    /// Whether the checkpoint has the tensor; asking does not count as using it.
    package func contains(_ name: String) -> Bool { checkpoint[fullName(name)] != nil }

    /// The tensor below this place. Throws `CheckpointError` (`.weights`) if it is missing or has another shape.
    package func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredTensor {
        guard let tensor = try optionalTensor(name, shape: shape) else {
            throw .weights("\(checkpoint.directory): lacks the tensor \(fullName(name).quoted) of shape \(shape)")
        }
        return tensor
    }

    /// The tensor below this place, `nil` if there is none.
    /// Throws `CheckpointError` (`.weights`) if it has another shape.
    package func optionalTensor(_ name: String, shape: [Int]) throws(CheckpointError) -> StoredTensor? {
        let name = fullName(name)
        guard let tensor = checkpoint[name] else { return nil }
        ledger.use(name)
        if let mismatch = Self.mismatch(tensor, shape) { throw .weights("\(tensor.file): \(mismatch)") }
        return tensor
    }

    private static func mismatch(_ tensor: StoredTensor, _ shape: [Int]) -> String? {
        tensor.fits(shape)
            ? nil : "tensor \(tensor.name.quoted): expected the shape \(shape), got \(tensor.shape)"
    }
}

// MARK: - What is missing, what is left over

extension WeightCursor {
    /// Notes that the model will ask for a tensor, without throwing: `verify` then names all that are missing at once.
    package func expect(_ name: String, shape: [Int]) {
        let name = fullName(name)
        guard let tensor = checkpoint[name] else { return ledger.noteMissing(name) }
        if let mismatch = Self.mismatch(tensor, shape) { ledger.noteMismatch(mismatch) }
    }

    /// Throws one `CheckpointError` (`.weights`) about everything that was expected and is missing or of another shape.
    package func verify() throws(CheckpointError) {
        if let complaint = ledger.complaint(about: checkpoint.directory) { throw .weights(complaint) }
    }

    /// Counts a tensor as used although nobody reads it, such as the copy of a tied weight.
    package func ignore(_ name: String) { ledger.use(fullName(name)) }

    /// Names of the checkpoint below this place that nobody asked for, sorted.
    package var unusedNames: [String] {
        let prefix = path.isEmpty ? "" : path + "."
        return checkpoint.names.filter { $0.utf8.starts(with: prefix.utf8) && !ledger.isUsed($0) }
    }
}
