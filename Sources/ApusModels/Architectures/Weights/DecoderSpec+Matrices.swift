import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// The places of what is stored as matrices of products, the head's last, and how a checkpoint of some format holds them.
    func storedMatrices(_ quantization: Quantization?) -> [(place: String, matrix: StoredMatrix)] {
        func distinct(_ weights: [LayerWeight]) -> [(module: String, matrix: StoredMatrix)] {
            var seen: Set<String> = []
            return weights.filter { !$0.role.isExact }.matrices(quantization).compactMap { weight, matrix in
                seen.insert(weight.module).inserted ? (weight.module, matrix.whole) : nil
            }
        }
        let ofKinds = kinds.map { distinct(weights(of: $0)) }
        let layers = pattern.enumerated().flatMap { layer, kind in
            ofKinds[kind].map { (place: names.layer(layer, $0.module), matrix: $0.matrix) }
        }
        let ends = distinct(inputWeights + outputWeights).map { (place: names.inBody($0.module), matrix: $0.matrix) }
        return ends + layers + [(place: headPlace(quantization), matrix: storedHead(quantization))]
    }

    /// Whether one matrix is table and head, in a checkpoint of some format.
    func sharesTable(_ quantization: Quantization?) -> Bool { headPlace(quantization) == names.table }

    var storedTable: StoredMatrix {
        StoredMatrix(outputs: vocabularySize, inputs: embedding.width, quantization: nil)
    }

    func storedHead(_ quantization: Quantization?) -> StoredMatrix {
        StoredMatrix(outputs: vocabularySize, inputs: embedding.width, quantization: quantization?.ofHead)
    }

    /// Where the last product has its weights. Tied to the embedding, they stand apart from it once they are integers.
    func headPlace(_ quantization: Quantization?) -> String {
        tiedEmbeddings && quantization == nil ? names.table : names.head
    }

    /// The name and shape of every tensor that a checkpoint of this model has, in some format.
    func tensors(_ quantization: Quantization?) -> [(name: String, shape: [Int])] {
        func tensors(_ weights: [LayerWeight], _ place: (String) -> String) -> [(name: String, shape: [Int])] {
            weights.tensors(quantization).map { (place(StoredMatrix.name($0.name, in: $0.module)), $0.shape) }
        }
        var all = storedTable.parts.map { (name: "\(names.table).\($0.name)", shape: $0.shape) }
        all += tensors(inputWeights, names.inBody)
        let ofKinds = kinds.map { tensors(weights(of: $0)) { $0 } }
        for (layer, kind) in pattern.enumerated() {
            all += ofKinds[kind].map { (name: names.layer(layer, $0.name), shape: $0.shape) }
        }
        all += tensors(outputWeights, names.inBody)
        if headHasBias { all.append((name: "\(names.head).bias", shape: [vocabularySize])) }
        guard !sharesTable(quantization) else { return all }
        let head = headPlace(quantization)
        return all + storedHead(quantization).parts.map { (name: "\(head).\($0.name)", shape: $0.shape) }
    }

    /// The name and shape of every weight that a checkpoint of floating point has.
    package var weightShapes: [(name: String, shape: [Int])] { tensors(nil) }
}
