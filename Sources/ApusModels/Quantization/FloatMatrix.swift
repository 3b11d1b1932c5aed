import ApusCheckpoints
import ApusCompute

/// The elements of a matrix of float64 as float32: no kernel computes with more.
struct FloatMatrix {
    private let name: String
    private let identity: String
    private let elements: WidenedElements

    init(_ stored: StoredTensor) throws {
        name = stored.name
        identity = stored.identity
        elements = try WidenedElements(byteCount: stored.count * MemoryLayout<Float>.stride)
        try stored.widen(into: elements.bytes.bindMemory(to: Float.self))
        stored.release()
    }

    func source(_ matrix: StoredMatrix) throws -> WeightSource {
        let (bytes, view, block) = matrix.block(of: UnsafeRawBufferPointer(elements.bytes))
        return try WeightSource(
            name: name, identity: identity + block, bytes: bytes, owner: elements,
            shape: Shape([matrix.outputs, matrix.inputs]), format: .float32, view: view,
            release: { [elements] in elements.release() })
    }
}
