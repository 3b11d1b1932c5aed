extension DecoderSpec {
    /// All parameters, those of a table that is the head too only once. A floating-point number, since configurations may
    /// name models that no integer counts.
    package var parameterCount: Double {
        func count(_ weights: [LayerWeight]) -> Double {
            weights.reduce(0) { sum, weight in
                let matrix = weight.matrix(nil) ?? weight.table
                return sum + Double(weight.vectorCount) + (matrix.map { Double($0.outputs) * Double($0.inputs) } ?? 0)
            }
        }
        let ofKinds = kinds.map { count(weights(of: $0)) }
        var total = pattern.reduce(0) { $0 + ofKinds[$1] } + count(inputWeights) + count(outputWeights)
        total += Double(storedTable.outputs) * Double(storedTable.inputs)
        if !tiedEmbeddings { total += Double(vocabularySize) * Double(embedding.width) }
        if headHasBias { total += Double(vocabularySize) }
        return total
    }
}
