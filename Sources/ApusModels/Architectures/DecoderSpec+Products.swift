extension DecoderSpec {
    /// A matrix that every new token is multiplied with, those that share their input taken together.
    package struct Product: Sendable, Equatable {
        package let name: String
        package let outputs: Int
        package let inputs: Int
        /// How often the model has it.
        package let count: Int
    }

    static let headProduct = "head"

    /// All products of a step. The lookup of the embedding is none.
    package var products: [Product] {
        [
            Product(
                name: "query-key-value", outputs: query.outputs + key.outputs + value.outputs, inputs: hiddenSize,
                count: layers),
            Product(name: "output", outputs: output.outputs, inputs: output.inputs, count: layers),
            Product(name: "gate-up", outputs: gate.outputs + up.outputs, inputs: hiddenSize, count: layers),
            Product(name: "down", outputs: down.outputs, inputs: down.inputs, count: layers),
            Product(name: Self.headProduct, outputs: vocabularySize, inputs: hiddenSize, count: 1),
        ]
    }

    /// Parameters that a token is multiplied with: twice as many are its multiplications and additions. A floating-point
    /// number, since configurations may name models that no integer counts.
    package var parametersInProducts: Double {
        products.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) * Double($1.count) }
    }

    /// The name and shape of every weight that a checkpoint of this model has.
    package var weightShapes: [(name: String, shape: [Int])] {
        let layerWeights = projections.flatMap { projection in
            [(projection.name + ".weight", [projection.outputs, projection.inputs])]
                + (projection.hasBias ? [(projection.name + ".bias", [projection.outputs])] : [])
        }
        let norms = [names.attentionNorm, names.mlpNorm].map { ($0 + ".weight", [hiddenSize]) }
        var shapes = [(names.table + ".weight", [vocabularySize, hiddenSize])]
        for layer in 0..<layers {
            shapes += (layerWeights + norms).map { (names.layer(layer, $0.0), $0.1) }
        }
        shapes.append((names.inBody(names.finalNorm) + ".weight", [hiddenSize]))
        if !tiedEmbeddings { shapes.append(("\(names.head).weight", [vocabularySize, hiddenSize])) }
        return shapes.map { (name: $0.0, shape: $0.1) }
    }
}
