import ApusCheckpoints
import ApusCompute

/// What some part of a model has, brought to its device, by what it is for.
struct LoadedWeights {
    private(set) var projections: [WeightRole: Projection] = [:]
    /// Of each expert.
    private(set) var experts: [WeightRole: [Projection]] = [:]
    private(set) var norms: [WeightRole: Norm] = [:]
    private(set) var tables: [WeightRole: any PreparedWeight] = [:]
    private(set) var vectors: [WeightRole: Tensor] = [:]
    /// In the order in which they are used.
    private(set) var matrices: [any PreparedWeight] = []

    init(_ place: WeightCursor, _ weights: [LayerWeight], _ loader: WeightLoader) throws {
        for weight in weights {
            if let matrix = weight.matrix(loader.stored) {
                let projection = try loader.projection(place, weight, matrix)
                if weight.role.isOfExperts {
                    experts[weight.role, default: []].append(projection)
                } else {
                    projections[weight.role] = projection
                }
                matrices.append(projection.weight)
            } else if let table = weight.table {
                tables[weight.role] = try loader.table(place.at(weight.module), table)
            } else if case .norm(let spec, let shape, let pieces) = weight.content {
                let count = shape.reduce(pieces ?? 1, *)
                norms[weight.role] = try loader.norm(place, weight, spec, count: count)
            } else if case .vector(let name, _) = weight.content {
                vectors[weight.role] = try loader.vector(place, weight, name: name)
            }
        }
    }

    /// Throws `ModelError` (`.unsupported`) for what the part's kind does not have.
    func projection(_ role: WeightRole) throws -> Projection {
        guard let projection = projections[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return projection
    }
}

extension WeightCursor {
    /// The place at a dotted path below this one.
    func at(_ path: String) -> WeightCursor {
        path.split(separator: ".").reduce(self) { $0[String($1)] }
    }
}
