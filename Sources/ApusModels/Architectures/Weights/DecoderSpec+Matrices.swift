import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// The places of all matrices of products, the head's last, and how a checkpoint of some format holds them.
    func matrices(_ quantization: Quantization?) -> [(place: String, matrix: StoredMatrix)] {
        let ofKinds = kinds.map { weights(of: $0).matrices(quantization) }
        let layers = pattern.enumerated().flatMap { layer, kind in
            ofKinds[kind].map { (place: names.layer(layer, $0.weight.module), matrix: $0.matrix) }
        }
        return layers + [(place: headPlace(quantization), matrix: storedHead(quantization))]
    }

    /// Whether one matrix is table and head, in a checkpoint of some format.
    func sharesTable(_ quantization: Quantization?) -> Bool { headPlace(quantization) == names.table }

    func storedHead(_ quantization: Quantization?) -> StoredMatrix {
        StoredMatrix(outputs: vocabularySize, inputs: hiddenSize, quantization: quantization?.ofHead)
    }

    /// Where the last product has its weights. Tied to the embedding, they stand apart from it once they are integers.
    func headPlace(_ quantization: Quantization?) -> String {
        tiedEmbeddings && quantization == nil ? names.table : names.head
    }
}
