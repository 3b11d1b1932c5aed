extension DecoderSpec {
    /// A matrix that every new token is multiplied with, those that share their input taken together.
    package struct Product: Sendable, Equatable {
        package let name: String
        package var outputs: Int
        package let inputs: Int
        /// How often the model has it.
        package let count: Int
    }

    /// All products of a step. The lookup of the embedding is none.
    package var products: [Product] {
        let ofLayers = kinds.indices.flatMap { kind in
            products(of: weights(of: kinds[kind]), count: pattern.count { $0 == kind })
        }
        return products(of: inputWeights) + ofLayers + products(of: outputWeights) + [headProduct]
    }

    var headProduct: Product {
        Product(name: WeightRole.head.product ?? "", outputs: vocabularySize, inputs: embedding.width, count: 1)
    }

    /// Those of some weights.
    func products(of weights: [LayerWeight], count: Int = 1) -> [Product] {
        weights.matrices(nil).reduce(into: []) { products, part in
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
}
