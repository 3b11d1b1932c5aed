import ApusCompute

/// One weight of a model: what it is for, how large it is, and where a checkpoint has it.
struct LayerWeight: Sendable {
    enum Content: Sendable, Equatable {
        case matrix(outputs: Int, inputs: Int, hasBias: Bool)
        /// A table whose rows are looked up, the first of them never.
        case table(rows: Int, width: Int, skipped: Int)
        /// The vectors of a norm, each stored as a tensor of a shape, or as several.
        case norm(NormSpec, shape: [Int], pieces: Int? = nil)
        case vector(name: String, shape: [Int])
        /// Of a convolution of each channel, stored as [channels, 1, taps].
        case filter(channels: Int, taps: Int, hasBias: Bool)
    }

    let role: WeightRole
    let content: Content
    /// Its module, below what it belongs to.
    let module: String
    /// Where a matrix is in what is stored.
    var view: MatrixView?
    /// Matrices that are stored as one tensor.
    var stack = 1
    /// Whether the module is the tensor.
    var isBare = false
    /// Whether it is stored in blocks of MXFP4.
    var isPacked = false

    /// How a checkpoint in some format holds it; `nil` for what is no matrix of products.
    func matrix(_ quantization: Quantization?) -> StoredMatrix? {
        guard case .matrix(let outputs, let inputs, _) = content else { return nil }
        return StoredMatrix(
            outputs: outputs, inputs: inputs, quantization: role.isExact ? nil : quantization, view: view, stack: stack,
            isBare: isBare, isPacked: isPacked)
    }

    /// A table as a checkpoint holds it; `nil` for what is none.
    var table: StoredMatrix? {
        guard case .table(let rows, let width, let skipped) = content else { return nil }
        let view = MatrixView(storedOutputs: skipped + rows, first: skipped, run: rows, period: rows)
        return StoredMatrix(outputs: rows, inputs: width, quantization: nil, view: view)
    }

    /// A tensor that is kept as float32.
    struct Vector: Sendable {
        let name: String
        let shape: [Int]

        var count: Int { shape.reduce(1, *) }
    }

    /// The vectors that a checkpoint holds of it.
    var vectors: [Vector] {
        switch content {
        case .matrix(let outputs, _, let hasBias):
            let stored = view?.storedOutputs ?? outputs
            let shape = stack > 1 ? [stack, stored / stack] : [stored]
            return hasBias ? [Vector(name: isBare ? StoredMatrix.bareBias : "bias", shape: shape)] : []
        case .table:
            return []
        case .norm(let norm, let shape, let pieces):
            let places = pieces.map { (0..<$0).map { "norms.\($0)." } } ?? [""]
            let names = (norm.hasWeight ? [norm.weightName] : []) + (norm.hasBias ? ["bias"] : [])
            return names.flatMap { name in places.map { Vector(name: $0 + name, shape: shape) } }
        case .vector(let name, let shape):
            return [Vector(name: name, shape: shape)]
        case .filter(let channels, let taps, let hasBias):
            let weight = Vector(name: "weight", shape: [channels, 1, taps])
            return hasBias ? [weight, Vector(name: "bias", shape: [channels])] : [weight]
        }
    }

    /// Elements that its vectors have on a device.
    var vectorCount: Int {
        switch content {
        case .matrix(let outputs, _, let hasBias): hasBias ? outputs : 0
        case .table: 0
        case .norm(let norm, let shape, let pieces): shape.reduce(pieces ?? 1, *) * (norm.hasBias ? 2 : 1)
        case .vector(_, let shape): shape.reduce(1, *)
        case .filter(let channels, let taps, let hasBias): channels * (taps + (hasBias ? 1 : 0))
        }
    }
}

extension [LayerWeight] {
    /// The matrices of products, as a checkpoint in some format holds them.
    func matrices(_ quantization: Quantization?) -> [(weight: LayerWeight, matrix: StoredMatrix)] {
        compactMap { weight in weight.matrix(quantization).map { (weight, $0) } }
    }

    /// The tensors that a checkpoint in some format has of them, by module and name, each once.
    func tensors(_ quantization: Quantization?) -> [(module: String, name: String, shape: [Int])] {
        var seen: Set<String> = []
        return flatMap { weight in
            let parts = (weight.matrix(quantization) ?? weight.table)?.parts ?? []
            let all = parts.map { ($0.name, $0.shape) } + weight.vectors.map { ($0.name, $0.shape) }
            return all.compactMap { name, shape in
                let place = weight.module + name
                return seen.insert(place).inserted ? (weight.module, name, shape) : nil
            }
        }
    }
}
