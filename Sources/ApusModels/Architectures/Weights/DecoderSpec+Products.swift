import ApusCompute

extension DecoderSpec {
    /// A matrix that every new token is multiplied with, those that share their input taken together.
    package struct Product: Sendable, Equatable {
        package let name: String
        package var outputs: Int
        package let inputs: Int
        /// How often the model has it.
        package var count: Int
        /// Whether it is always of float32.
        package var isExact = false
        /// Of an expert's: how many of all experts a token takes.
        package var chosenShare = 1.0

        /// How many of them a step of so many tokens needs that choose their experts at random.
        package func count(tokens: Int) -> Double {
            let chance = 1 - (0..<tokens).reduce(1.0) { chance, _ in chance * (1 - chosenShare) }
            return Double(count) / chosenShare * chance
        }
    }

    /// All products of a step. The lookup of the embedding is none.
    package var products: [Product] {
        let ofLayers = kinds.indices.flatMap { kind in
            products(
                of: weights(of: kinds[kind], mostExperts: 1), kinds[kind].mlp.experts,
                count: pattern.count { $0 == kind })
        }
        return products(of: inputWeights) + ofLayers + products(of: outputWeights) + [headProduct]
    }

    var headProduct: Product {
        Product(name: WeightRole.head.product ?? "", outputs: vocabularySize, inputs: embedding.width, count: 1)
    }

    /// Those of some weights. Of experts those that a token takes.
    func products(of weights: [LayerWeight], _ experts: ExpertSpec? = nil, count: Int = 1) -> [Product] {
        var seen: [WeightRole: Int] = [:]
        return weights.matrices(nil).reduce(into: []) { products, part in
            guard let name = part.weight.role.product else { return }
            if part.weight.role.isOfExperts {
                seen[part.weight.role, default: 0] += 1
                guard seen[part.weight.role] == 1 else { return }
            }
            let count = part.weight.role.isOfExperts ? count * (experts?.rule.chosen ?? 1) : count
            if products.last?.name == name {
                products[products.count - 1].outputs += part.matrix.outputs
            } else {
                products.append(
                    Product(
                        name: name, outputs: part.matrix.outputs, inputs: part.matrix.inputs, count: count,
                        isExact: part.weight.role.isExact,
                        chosenShare: part.weight.role.isOfExperts
                            ? experts.map { Double($0.rule.chosen) / Double($0.count) } ?? 1 : 1))
            }
        }
    }

    /// Parameters that a token is multiplied with: twice as many are its multiplications and additions. A floating-point
    /// number, since configurations may name models that no integer counts.
    package var parametersInProducts: Double {
        products.reduce(0) { $0 + Double($1.outputs) * Double($1.inputs) * Double($1.count) }
    }
}
