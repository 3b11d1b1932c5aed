package import ApusCompute
import Synchronization

/// A matrix that a checkpoint of another tool holds as codes, in several tensors: `MODULE.qweight` and `MODULE.scales`, say. It
/// stands in their place as `MODULE.weight`.
package final class CodedWeight: Sendable {
    /// Outputs and inputs, behind the number of matrices of a stack; of the inputs as many as there is room for.
    let shape: [Int]
    /// Inputs that may be missing in the last word.
    private let padding: Int
    let parts: [StoredTensor]
    private let name: String
    private let make: @Sendable (_ inputs: Int) throws(CheckpointError) -> CodeArrays
    private let made = Mutex<CodeArrays?>(nil)

    init(
        _ module: CodedModule, shape: [Int], padding: Int = 0,
        make: @escaping @Sendable (_ inputs: Int) throws(CheckpointError) -> CodeArrays
    ) {
        (self.shape, self.padding, self.make) = (shape, padding, make)
        parts = module.parts
        name = module.name
    }

    /// Whether it may be a matrix of a shape. Codes are stored by outputs, however a family stores its floats.
    package func fits(_ shape: [Int]) -> Bool {
        guard shape.count == self.shape.count, let inputs = shape.last, let most = self.shape.last else { return false }
        if shape.dropLast() == self.shape.dropLast(), inputs <= most, inputs >= most - padding { return true }
        return shape.count == 2 && shape[1] == self.shape[0] && shape[0] <= most && shape[0] >= most - padding
    }

    /// The arrays, of so many inputs; made at the first call. Throws `CheckpointError` (`.weights`) for tensors that do not
    /// belong together.
    package func arrays(inputs: Int) throws(CheckpointError) -> CodeArrays {
        if let arrays = made.withLock({ $0 }), arrays.inputs == inputs { return arrays }
        let arrays = try make(inputs)
        made.withLock { $0 = arrays }
        return arrays
    }

    /// Lets the system take the pages of all parts.
    package func release() {
        for part in parts { part.release() }
    }

    var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }

    /// What tells it from every other.
    package var identity: String { parts.map(\.identity).joined(separator: " ") }
}

/// How the elements of a stored tensor lie that are none of its type.
package enum TensorCodes: Sendable {
    case blocks(BlockFormat)
    case weight(CodedWeight)
}

extension StoredTensor {
    package var blocks: BlockFormat? {
        guard case .blocks(let blocks) = codes else { return nil }
        return blocks
    }

    package var coded: CodedWeight? {
        guard case .weight(let weight) = codes else { return nil }
        return weight
    }
}
