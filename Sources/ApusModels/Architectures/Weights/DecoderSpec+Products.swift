extension DecoderSpec {
    /// A matrix that every new token is multiplied with, those that share their input taken together.
    package struct Product: Sendable, Equatable {
        package let name: String
        package var outputs: Int
        package let inputs: Int
        /// How often the model has it.
        package let count: Int
    }

    static let headProduct = "head"

    /// All products of a step. The lookup of the embedding is none.
    package var products: [Product] {
        let ofLayers = kinds.indices.flatMap { kind in
            products(of: kinds[kind], count: pattern.count { $0 == kind })
        }
        return ofLayers + [headProduct]
    }

    var headProduct: Product {
        Product(name: Self.headProduct, outputs: vocabularySize, inputs: hiddenSize, count: 1)
    }

    /// Those of a kind of layer.
    func products(of kind: LayerKind, count: Int = 1) -> [Product] {
        weights(of: kind).matrices(nil).reduce(into: []) { products, part in
            guard let name = part.weight.role.product else { return }
            if products.last?.name == name {
                products[products.count - 1].outputs += part.matrix.outputs
            } else {
                products.append(
                    Product(name: name, outputs: part.matrix.outputs, inputs: part.matrix.inputs, count: count))
            }
        }
    }

    /// Parameters that a token is multiplied with: twice as many are its multiplications and additions. A floating-point
    /// number, since configurations may name models that no integer counts.
    package var parametersInProducts: Double {
        products.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) * Double($1.count) }
    }

    /// The name and shape of every weight that a checkpoint of this model has.
    package var weightShapes: [(name: String, shape: [Int])] {
        let ofKinds = kinds.map { kind in
            weights(of: kind).flatMap { weight -> [(String, [Int])] in
                let parts = (weight.matrix(nil)?.parts ?? []).map { ($0.name, $0.shape) }
                return (parts + weight.vectors.map { ($0.name, [$0.count]) }).map { ("\(weight.module).\($0)", $1) }
            }
        }
        var shapes = [(names.table + ".weight", [vocabularySize, hiddenSize])]
        for (layer, kind) in pattern.enumerated() {
            shapes += ofKinds[kind].map { (names.layer(layer, $0.0), $0.1) }
        }
        shapes.append((names.inBody(names.finalNorm) + ".weight", [hiddenSize]))
        if !tiedEmbeddings { shapes.append(("\(names.head).weight", [vocabularySize, hiddenSize])) }
        return shapes.map { (name: $0.0, shape: $0.1) }
    }
}
