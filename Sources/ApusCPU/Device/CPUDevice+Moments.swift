package import ApusCompute
import CApusKernels

extension CPUDevice {
    /// Adds rows that some weights are multiplied with to the moments that are kept, if any are. Threads share the blocks of inputs,
    /// so that every sum is made in the order of the rows.
    func observe(_ activations: apus_activations, _ weights: [CPUWeight]) {
        let (rows, inputs) = (activations.rows, activations.inputs)
        guard let moments, let address = activations.x, rows > 0, inputs > 0,
            let sums = moments.sums(for: weights.map(\.source), hasRoom: { $0 < MachineMemory.available() / 2 }),
            sums.inputs == inputs, let quantizer = apus_quantizer_of_machine()?.pointee
        else { return }
        nonisolated(unsafe) let given = address
        let hasNorm = activations.norm.weight != nil
        withUnsafeTemporaryAllocation(of: Float.self, capacity: hasNorm ? rows * inputs : 1) { room in
            nonisolated(unsafe) var x = given
            if hasNorm, let normed = room.baseAddress {
                nonisolated(unsafe) let (normed, norm) = (normed, activations.norm)
                team.run(chunks: rows) { row, _ in
                    withUnsafePointer(to: norm) {
                        kernels.norm_rows($0, given + row * inputs, normed + row * inputs, 1, inputs, 1, 1, false)
                    }
                }
                x = UnsafePointer(normed)
            }
            nonisolated(unsafe) let rowsOfAll = x
            team.run(chunks: InputMoments.Sums.blocks(of: inputs)) { block, _ in
                Self.add(rowsOfAll, rows, to: sums, block: block, quantizer)
            }
        }
    }

    private static let rowsTogether = 32

    private static func add(
        _ x: UnsafePointer<Float>, _ rows: Int, to sums: InputMoments.Sums, block: Int, _ quantizer: apus_quantizer
    ) {
        let range = sums.inputs(ofBlock: block)
        let width = InputMoments.Sums.padded(range.count)
        let rotation = Int(APUS_ROTATION)
        withUnsafeTemporaryAllocation(byteCount: rowsTogether * width * MemoryLayout<Float>.stride, alignment: 64) {
            guard let tile = $0.baseAddress?.assumingMemoryBound(to: Float.self), let target = sums.sums(ofBlock: block)
            else { return }
            for first in stride(from: 0, to: rows, by: rowsTogether) {
                let count = min(rowsTogether, rows - first)
                for row in 0..<count {
                    let place = tile + row * width
                    place.update(repeating: 0, count: width)
                    place.update(from: x + (first + row) * sums.inputs + range.lowerBound, count: range.count)
                    for turned in stride(from: 0, to: range.count - rotation + 1, by: rotation) {
                        quantizer.rotate(place + turned)
                    }
                }
                quantizer.add_moments(tile, count, width, target)
            }
        }
    }

    package func spread(_ sums: InputMoments.Sums) -> ErrorSpread {
        let blocks = InputMoments.Sums.blocks(of: sums.inputs)
        let count = Self.factors(before: sums.inputs)
        return ErrorSpread(
            factors: [Float](unsafeUninitializedCapacity: count) { factors, initialized in
                nonisolated(unsafe) let place = factors.baseAddress
                team.run(chunks: blocks) { block, _ in
                    guard let place else { return }
                    let first = Self.factors(before: sums.inputs(ofBlock: block).lowerBound)
                    sums.writeSpread(ofBlock: block, damping: Self.damping, to: place + first)
                }
                initialized = count
            })
    }

    /// Few thousand tokens say little of pairs that seldom come together: SmolLM2-135M loses least with this.
    private static let damping = 0.2

    /// Factors of a spread that stand before those of an input at the start of a block, or after the last.
    static func factors(before input: Int) -> Int {
        let rest = input % InputMoments.block
        return (input - rest) * InputMoments.block + rest * rest
    }
}
