import ApusCheckpoints
import ApusCompute

/// The elements of a matrix of float64 as float32: no kernel computes with more.
final class FloatMatrix: @unchecked Sendable {
    private let name: String
    private let identity: String
    private let elements: UnsafeMutableBufferPointer<Float>

    init(_ stored: StoredTensor) throws {
        name = stored.name
        identity = stored.identity
        elements = .allocate(capacity: stored.count)
        try stored.widen(into: elements)
        stored.release()
    }

    deinit { elements.deallocate() }

    func source(_ matrix: StoredMatrix) throws -> WeightSource {
        try WeightSource(
            name: name, identity: identity, bytes: UnsafeRawBufferPointer(elements), owner: self,
            shape: Shape([matrix.outputs, matrix.inputs]), format: .float32, view: matrix.view)
    }
}
