import ApusCheckpoints
import ApusCompute

/// What the tensors of a model are made of where another checkpoint holds it otherwise: under other names, fused or apart, in
/// codes, its rows turned for another order of rotation, its norms as what they stand for.
struct CheckpointTranslation {
    /// A tensor of the new checkpoint that is kept as it is, in floating point.
    struct Vector {
        let name: String
        let shape: [Int]
        let values: [Float]
    }

    /// A matrix of the new checkpoint, put together of the old one's.
    struct Matrix: Sendable {
        let place: String
        let stored: StoredMatrix
        /// What it is made of, and which part of it each is.
        var parts: [(source: WeightSource, view: MatrixView, order: HeadOrder?)] = []
        /// Whether tokens are looked up in it, so that it is never rounded.
        var isTable = false
    }

    /// Rows of a head that stand next to each other where the new checkpoint has them half a head apart.
    struct HeadOrder: Sendable {
        let headDim: Int
        /// Elements of a head that are turned.
        let turned: Int

        /// Which row of the old matrix a row of the new one is.
        func callAsFunction(_ row: Int) -> Int {
            let (head, place) = (row / headDim * headDim, row % headDim)
            guard place < turned else { return row }
            let half = turned / 2
            return head + (place < half ? 2 * place : 2 * (place - half) + 1)
        }
    }

    private(set) var vectors: [Vector] = []
    private(set) var matrices: [Matrix] = []
    private let weights: WeightCursor
    private let source: DecoderSpec
    private let target: DecoderSpec
    private var places: [String: Int] = [:]

    /// - Parameters:
    ///   - source: the model as `weights` have it.
    ///   - target: the same as its family has it.
    ///   - quantization: of the new checkpoint's products.
    /// - Throws: `ModelError` (`.unsupported`) if one has what the other lacks, `CheckpointError`.
    init(_ weights: WeightCursor, _ source: DecoderSpec, as target: DecoderSpec, _ quantization: Quantization?) throws {
        (self.weights, self.source, self.target) = (weights, source, target)
        try add(source.inputWeights, target.inputWeights, quantization, nil) { spec, module in spec.names.inBody(module)
        }
        for layer in 0..<source.layers {
            let (own, new) = (source.kind(ofLayer: layer), target.kind(ofLayer: layer))
            try add(source.weights(of: own), target.weights(of: new), quantization, own) { spec, module in
                spec.names.layer(layer, module)
            }
        }
        try add(source.outputWeights, target.outputWeights, quantization, nil) { spec, module in
            spec.names.inBody(module)
        }
        var table = Matrix(
            place: target.names.inBody(target.names[.embedding]), stored: target.storedTable, isTable: true)
        table.parts = [(try weights.at(source.names.table).source(source.storedTable), table.stored.view, nil)]
        matrices.append(table)
        if !target.sharesTable(quantization) {
            var head = Matrix(place: target.headPlace(quantization), stored: target.storedHead(quantization))
            let place = weights.at(source.headPlace(nil))
            head.parts = [(try place.source(source.storedHead(nil)), head.stored.view, nil)]
            matrices.append(head)
        }
        if target.headHasBias {
            vectors.append(
                try vector("\(target.names.head).bias", "\(source.names.head).bias", [source.vocabularySize]))
        }
    }

    private mutating func add(
        _ own: [LayerWeight], _ new: [LayerWeight], _ quantization: Quantization?, _ kind: LayerKind?,
        _ place: (DecoderSpec, String) -> String
    ) throws {
        guard own.map(\.role) == new.map(\.role), zip(own, new).allSatisfy({ $0.vectors.count == $1.vectors.count })
        else {
            throw ModelError.unsupported(
                "\(weights.checkpoint.directory): holds the model otherwise than its family's checkpoints do")
        }
        for (old, weight) in zip(own, new) {
            let (from, to) = (place(source, old.module), place(target, weight.module))
            let order = order(old.role, kind)
            if let matrix = old.matrix(nil), let stored = weight.matrix(quantization) {
                add(
                    try weights.at(from).source(matrix), to,
                    weight.role.isExact ? weight.matrix(nil) ?? stored : stored,
                    order)
                for (bias, name) in zip(old.vectors, weight.vectors) {
                    try addBias(bias, from, matrix, name, to, stored, order)
                }
                continue
            }
            if let table = old.table, let stored = weight.table {
                var matrix = Matrix(place: to, stored: stored, isTable: true)
                matrix.parts = [(try weights.at(from).source(table), stored.view, nil)]
                matrices.append(matrix)
                continue
            }
            for (vector, name) in zip(old.vectors, weight.vectors) {
                var values = try elements(from, vector)
                if case .norm(let norm, _, _) = old.content, case .norm(let other, _, _) = weight.content,
                    vector.name.hasSuffix(norm.weightName)
                {
                    values = values.map {
                        ($0 + norm.weightOffset) * norm.weightScale / other.weightScale - other.weightOffset
                    }
                }
                vectors.append(Vector(name: StoredMatrix.name(name.name, in: to), shape: name.shape, values: values))
            }
        }
    }

    /// Queries and keys lie in the order in which they are turned.
    private func order(_ role: WeightRole, _ kind: LayerKind?) -> HeadOrder? {
        guard role == .query || role == .key, let attention = kind?.attention, let index = attention.rotary,
            source.rotaries[index].turnsNeighbours, !target.rotaries[index].turnsNeighbours
        else { return nil }
        return HeadOrder(headDim: attention.headDim, turned: source.rotaries[index].turned)
    }

    private mutating func add(_ part: WeightSource, _ place: String, _ stored: StoredMatrix, _ order: HeadOrder?) {
        if let index = places[place] {
            matrices[index].parts.append((part, stored.view, order))
            return
        }
        places[place] = matrices.count
        matrices.append(Matrix(place: place, stored: stored.whole, parts: [(part, stored.view, order)]))
    }

    /// The bias of what may be a part of a fused matrix, on either side.
    private mutating func addBias(
        _ bias: LayerWeight.Vector, _ from: String, _ matrix: StoredMatrix, _ name: LayerWeight.Vector, _ to: String,
        _ stored: StoredMatrix, _ order: HeadOrder?
    ) throws {
        let values = try elements(from, bias)
        let full = StoredMatrix.name(name.name, in: to)
        let index = vectors.firstIndex { $0.name == full }
        var result = index.map { vectors[$0].values } ?? [Float](repeating: 0, count: name.count)
        for output in 0..<matrix.outputs {
            result[stored.view.row(output)] = values[matrix.view.row(order?(output) ?? output)]
        }
        let vector = Vector(name: full, shape: name.shape, values: result)
        if let index { vectors[index] = vector } else { vectors.append(vector) }
    }

    private func vector(_ name: String, _ from: String, _ shape: [Int]) throws -> Vector {
        Vector(name: name, shape: shape, values: try weights.tensor(from, shape: shape).floats())
    }

    private func elements(_ place: String, _ vector: LayerWeight.Vector) throws -> [Float] {
        try weights.at(place).member(vector.name, shape: vector.shape).floats()
    }
}

extension CheckpointTranslation.Matrix {
    /// Where a row comes from: what the source's parts have in common, and a row of it that takes the same inputs.
    func origin(ofRow row: Int) -> (name: String, row: Int)? {
        let part = parts.first { part in
            let outputs = part.source.shape[0]
            return outputs > 0 && part.view.first <= row && row <= part.view.row(outputs - 1)
        }
        return part.map { ($0.source.origin, $0.source.originRows.lowerBound) }
    }

    /// Rows of the new matrix, by outputs, as float32.
    func floats(_ rows: Range<Int>, by reader: any WeightQuantizer) throws -> [Float] {
        let inputs = stored.inputs
        // What already stands in this order is read at once.
        if parts.count == 1, parts[0].order == nil, parts[0].view.rowsAreOutputs,
            parts[0].source.shape[0] >= rows.upperBound
        {
            return try reader.floats(parts[0].source, rows: rows)
        }
        var result = [Float](repeating: 0, count: rows.count * inputs)
        for part in parts {
            var places: [(output: Int, row: Int)] = []
            for output in 0..<part.source.shape[0] where rows.contains(part.view.row(output)) {
                places.append((part.order?(output) ?? output, part.view.row(output) - rows.lowerBound))
            }
            guard let first = places.map(\.output).min(), let last = places.map(\.output).max() else { continue }
            let values = try reader.floats(part.source, rows: first..<last + 1)
            for (output, row) in places {
                let start = (output - first) * inputs
                result.replaceSubrange(row * inputs..<(row + 1) * inputs, with: values[start..<start + inputs])
            }
        }
        return result
    }
}

extension MatrixView {
    /// Whether output o is row o.
    fileprivate var rowsAreOutputs: Bool { first == 0 && run == storedOutputs }
}
