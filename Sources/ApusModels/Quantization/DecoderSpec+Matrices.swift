import ApusCheckpoints
import ApusCompute

extension DecoderSpec {
    /// The places of all matrices of products, the head's last, and how a checkpoint of some format holds them.
    func matrices(_ quantization: Quantization?) -> [(place: String, matrix: StoredMatrix)] {
        let layers = (0..<layers).flatMap { layer in
            projections.map { projection in
                (place: names.layer(layer, projection.name), matrix: stored(projection, quantization))
            }
        }
        return layers + [(place: headPlace(quantization), matrix: storedHead(quantization))]
    }

    /// Whether one matrix is table and head, in a checkpoint of some format.
    func sharesTable(_ quantization: Quantization?) -> Bool { headPlace(quantization) == names.table }

    func stored(_ projection: ProjectionShape, _ quantization: Quantization?) -> StoredMatrix {
        StoredMatrix(outputs: projection.outputs, inputs: projection.inputs, quantization: quantization)
    }

    func storedHead(_ quantization: Quantization?) -> StoredMatrix {
        StoredMatrix(outputs: vocabularySize, inputs: hiddenSize, quantization: quantization?.ofHead)
    }

    /// Where the last product has its weights. Tied to the embedding, they stand apart from it once they are integers.
    func headPlace(_ quantization: Quantization?) -> String {
        tiedEmbeddings && quantization == nil ? names.table : names.head
    }
}
