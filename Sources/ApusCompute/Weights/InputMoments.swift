import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the matrices of a model were multiplied with, as far as rounding them asks: for each, the sum of xᵢ·xⱼ over its inputs x, which
/// were rotated as those of integers are (docs/QUANTIZATION.md). Of each `block` inputs only those pairs that are within it.
package final class InputMoments: Sendable {
    /// Inputs whose errors make up for each other.
    package static let block = 256

    /// Those of one matrix, or of several that take the same inputs. Written by one device, whose operations follow each other.
    package final class Sums: @unchecked Sendable {
        package let inputs: Int
        /// For each block [width][`padded` width], the upper half and what stands beside it.
        private let memory: UnsafeMutableBufferPointer<Float>

        /// `nil` if there is no memory.
        package init?(inputs: Int) {
            let count = Self.count(of: inputs)
            guard let zeros = calloc(max(count, 1), MemoryLayout<Float>.stride) else { return nil }
            self.inputs = inputs
            memory = UnsafeMutableBufferPointer(start: zeros.assumingMemoryBound(to: Float.self), count: count)
        }

        deinit { free(memory.baseAddress) }

        package static func byteCount(of inputs: Int) -> Int { count(of: inputs) * MemoryLayout<Float>.stride }

        package static func blocks(of inputs: Int) -> Int { (inputs + block - 1) / block }
        package static func padded(_ width: Int) -> Int { (width + 15) / 16 * 16 }

        private static func count(of inputs: Int) -> Int {
            let rest = padded(inputs % block)
            return inputs / block * block * block + rest * rest
        }

        package func inputs(ofBlock index: Int) -> Range<Int> {
            index * InputMoments.block..<min((index + 1) * InputMoments.block, inputs)
        }

        package func sums(ofBlock index: Int) -> UnsafeMutablePointer<Float>? {
            memory.baseAddress.map { $0 + index * InputMoments.block * InputMoments.block }
        }
    }

    private struct Part {
        let rows: Range<Int>
        let sums: Sums
    }

    private let parts = Mutex<[String: [Part]]>([:])
    private let short = Atomic<Bool>(false)
    /// Whether there was no memory for some.
    package var isShort: Bool { short.load(ordering: .relaxed) }

    package init() {}

    /// The sums of matrices that take the same inputs, which are made if there are none.
    ///
    /// - Parameter hasRoom: whether so many bytes more may be taken.
    package func sums(for weights: [WeightSource], hasRoom: (Int) -> Bool = { _ in true }) -> Sums? {
        guard let first = weights.first, !isShort else { return nil }
        return parts.withLock { parts in
            func found(_ weight: WeightSource) -> Sums? {
                parts[weight.origin]?.first { $0.rows == weight.originRows }?.sums
            }
            let inputs = first.shape[1]
            guard let sums = found(first) ?? (hasRoom(Sums.byteCount(of: inputs)) ? Sums(inputs: inputs) : nil) else {
                short.store(true, ordering: .relaxed)
                return nil
            }
            for weight in weights where found(weight) == nil {
                parts[weight.origin, default: []].append(Part(rows: weight.originRows, sums: sums))
            }
            return sums
        }
    }

    /// Those of a row of what is stored; `nil` if nothing was multiplied with it.
    package func sums(ofRow row: Int, of origin: String) -> Sums? {
        parts.withLock { $0[origin]?.first { $0.rows.contains(row) }?.sums }
    }
}

extension InputMoments.Sums {
    /// What of an input's error is taken from each input after it, so that the products change least: of the inverse of the block's
    /// moments, the rows of its upper triangular factor, divided by their diagonal (Frantar et al., arXiv 2210.17323).
    /// [width, width], only what stands right of the diagonal counts; zeros where the sums are no numbers.
    ///
    /// - Parameter damping: the share of the mean square that each square has besides, since the moments are of few inputs.
    package func writeSpread(ofBlock index: Int, damping: Double, to target: UnsafeMutablePointer<Float>) {
        let width = inputs(ofBlock: index).count
        let padded = Self.padded(width)
        target.update(repeating: 0, count: width * width)
        guard let sums = sums(ofBlock: index) else { return }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * width * width) { room in
            guard let factor = room.baseAddress else { return }
            let inverse = factor + width * width
            let mean = (0..<width).reduce(0.0) { $0 + Double(sums[$1 * padded + $1]) } / Double(width)
            guard mean > 0, mean.isFinite else { return }
            // moments = R · Rᵀ with R upper triangular, from the last row up.
            for k in stride(from: width - 1, through: 0, by: -1) {
                let own = factor + k * width
                for i in stride(from: k, through: 0, by: -1) {
                    let other = factor + i * width
                    var sum = Double(sums[i * padded + k]) + (i == k ? damping * mean : 0)
                    for m in k + 1..<max(width, k + 1) { sum -= other[m] * own[m] }
                    other[k] = i == k ? sum.squareRoot() : sum / own[k]
                }
                guard own[k] > 0, own[k].isFinite else { return target.update(repeating: 0, count: width * width) }
            }
            // The inverse of R, column by column.
            for j in 0..<width {
                let column = inverse + j * width
                column[j] = 1 / factor[j * width + j]
                for i in stride(from: j - 1, through: 0, by: -1) {
                    let row = factor + i * width
                    var sum = 0.0
                    for m in i + 1...j { sum += row[m] * column[m] }
                    column[i] = -sum / row[i]
                    target[i * width + j] = Float(column[i] * row[i])
                }
            }
        }
    }
}
