import ApusCheckpoints
import ApusCompute

/// What a layer has, brought to its device, by what it is for.
struct LayerParts {
    private var projections: [WeightRole: Projection] = [:]
    private var vectors: [WeightRole: Tensor] = [:]
    /// In the order in which they are used.
    private(set) var matrices: [any PreparedWeight] = []

    init(_ place: WeightCursor, _ weights: [LayerWeight], _ loader: WeightLoader) throws {
        for weight in weights {
            if let matrix = weight.matrix(loader.stored) {
                let projection = try loader.projection(place, weight, matrix)
                projections[weight.role] = projection
                matrices.append(projection.weight)
            } else if let vector = weight.vectors.first {
                vectors[weight.role] = try loader.vector(place.at(weight.module), vector.name, count: vector.count)
            }
        }
    }

    /// Throws `ModelError` (`.unsupported`) for what the layer's kind does not have.
    func projection(_ role: WeightRole) throws -> Projection {
        guard let projection = projections[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return projection
    }

    func norm(_ role: WeightRole, _ spec: NormSpec) throws -> Norm {
        guard let weight = vectors[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return Norm(weight: weight, epsilon: spec.epsilon)
    }
}

extension WeightCursor {
    /// The place at a dotted path below this one.
    func at(_ path: String) -> WeightCursor {
        path.split(separator: ".").reduce(self) { $0[String($1)] }
    }
}
