import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// This model as a checkpoint has it: where its body stands, and which matrices are its table and its head. What the
    /// checkpoint holds decides; the configuration only says what to expect.
    ///
    /// - Parameter stored: what the checkpoint has rounded products to; then the head always stands apart.
    /// - Returns: the model, and a remark where the configuration says something else.
    func settled(in weights: WeightCursor, stored: Quantization?) -> (DecoderSpec, remarks: [String]) {
        var spec = self
        // Saved from the base model, or from a model around it, names begin otherwise. Every layer has this matrix.
        let witness = "\(names.layers).0.\(names[.output]).weight"
        if let body = names.bodies.first(where: { weights.contains($0.isEmpty ? witness : "\($0).\(witness)") }) {
            spec.names.bodies = [body]
        }
        if let head = names.heads.first(where: { weights.contains("\($0).weight") }) { spec.names.heads = [head] }
        let settled = spec.names
        spec.names.stackExperts { name in
            pattern.indices.contains { weights.contains(settled.layer($0, name)) }
        }
        spec.names.packed = names.bare.filter { role in
            weights.contains(StoredMatrix.name(StoredMatrix.packedBlocks, in: spec.names.layer(0, names[role])))
        }
        guard tiedEmbeddings, stored == nil, let head = weights.checkpoint[spec.names.head + ".weight"] else {
            return (spec, [])
        }
        guard let table = weights.checkpoint[spec.names.table + ".weight"] else {
            spec.names.tableIsHead = true
            return (spec, [])
        }
        if head.holdsTheSame(as: table) { return (spec, []) }
        spec.tiedEmbeddings = false
        return (
            spec,
            [
                "\(weights.checkpoint.directory): config.json says that the head is the table, but the checkpoint has a "
                    + "'\(spec.names.head)' of its own, which is used"
            ]
        )
    }
}
