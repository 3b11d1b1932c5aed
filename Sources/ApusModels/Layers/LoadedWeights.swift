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
    private(set) var filters: [WeightRole: (weight: Tensor, bias: Tensor?)] = [:]
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
            } else if case .filter(let channels, let taps, _) = weight.content {
                filters[weight.role] = try loader.filter(place, weight, channels: channels, taps: taps)
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

    func norm(_ role: WeightRole) throws -> Norm {
        guard let norm = norms[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return norm
    }

    func vector(_ role: WeightRole) throws -> Tensor {
        guard let vector = vectors[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return vector
    }

    func filter(_ role: WeightRole) throws -> (weight: Tensor, bias: Tensor?) {
        guard let filter = filters[role] else { throw ModelError.unsupported("a layer without \(role)") }
        return filter
    }
}

extension WeightCursor {
    /// The place at a dotted path below this one.
    func at(_ path: String) -> WeightCursor {
        path.split(separator: ".").reduce(self) { $0[String($1)] }
    }
}
