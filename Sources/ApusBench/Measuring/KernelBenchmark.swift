package import Apus
package import ApusCPU
import ApusCompute
package import ApusModels
import ApusRuns

/// Times the products of a model's shapes, their weights read from memory as in a real step.
package struct KernelBenchmark {
    package struct Result {
        let product: DecoderSpec.Product
        let format: WeightFormat
        package let rows: Int
        package let seconds: Double
        let limitSeconds: Double

        package var operationsPerSecond: Double {
            2 * Double(rows) * Double(product.outputs) * Double(product.inputs) / seconds
        }
        package var bytesPerSecond: Double {
            format.byteCount(of: product) / seconds
        }
        package var share: Double { limitSeconds / seconds }
    }

    let device: CPUDevice
    /// Of the checkpoint.
    let source: DType
    let format: WeightFormat
    /// Bytes of all products of the model.
    let modelBytes: Double
    /// For each figure.
    let seconds: Double
    /// Bytes a second.
    package let bandwidth: Double
    package let peak: MachineLimits.Peak

    package init(_ model: BenchModel, threads: Int, source: DType, format: WeightFormat, seconds: Double) throws {
        device = try CPUDevice(threads: threads)
        self.source = source
        self.format = format
        modelBytes = model.weightBytes(format)
        self.seconds = seconds
        let limits = MachineLimits(threads: threads, instructionSet: device.instructionSet)
        bandwidth = try limits.readBandwidth(passes: 12)
        peak = limits.peak(MachineLimits.Arithmetic(format), passes: 12)
    }

    /// One product at some numbers of rows. The best turn of some time each, after an untimed one.
    package func measure(_ product: DecoderSpec.Product, rows: [Int]) throws -> [Result] {
        let weights = try weights(product)
        return try rows.map { rows in
            let x = try device.makeTensor(
                (0..<rows * product.inputs).map { Float($0 % 251) / 251 - 0.5 }, [rows, product.inputs])
            let y = try device.makeTensor([rows, product.outputs])
            for weight in weights { try device.linear(x, norm: nil, [Projection(weight).into(y)]) }
            var best = Double.infinity
            let end = MonotonicClock.seconds + seconds
            repeat {
                let begin = MonotonicClock.seconds
                for weight in weights { try device.linear(x, norm: nil, [Projection(weight).into(y)]) }
                best = min(best, (MonotonicClock.seconds - begin) / Double(weights.count))
            } while MonotonicClock.seconds < end
            let parameters = Double(product.outputs) * Double(product.inputs)
            let limit = SpeedLimit(
                parameters: parameters, weightBytes: format.byteCount(of: product), bandwidth: bandwidth,
                peak: peak.operationsPerSecond)
            return Result(
                product: product, format: format, rows: rows, seconds: max(best, 1e-9),
                limitSeconds: Double(rows) / limit.tokensPerSecond(batch: rows))
        }
    }

    /// So many copies that no cache holds them all by the time their turn comes again, unless one holds the model.
    private func weights(_ product: DecoderSpec.Product) throws -> [any PreparedWeight] {
        let (count, overflow) = product.outputs.multipliedReportingOverflow(by: product.inputs)
        let (size, overflow2) = count.multipliedReportingOverflow(by: source.byteCount)
        guard !overflow, !overflow2, size < MachineMemory.available() / 4 else {
            throw RunError("\(product.name): \(product.outputs) × \(product.inputs) is too large to measure here")
        }
        let streamed = min(Double(3 * max(MachineLimits.cacheSize, 64 << 20)), modelBytes)
        let copies = max(2, Int(streamed / max(format.byteCount(of: product), 1)) + 1)
        guard let stored = WeightFormat(source) else { throw RunError("no products of \(source)") }
        return try (0..<copies).map { copy in
            let memory = RandomMatrix(byteCount: size, source, seed: UInt64(copy))
            let source = try WeightSource(
                name: product.name, bytes: memory.bytes, owner: memory,
                shape: Shape([product.outputs, product.inputs]),
                format: stored)
            return try device.prepare(source, as: format)
        }
    }
}

/// The elements of a matrix, as a checkpoint would hold them.
private final class RandomMatrix: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let memory: UnsafeMutableRawBufferPointer

    init(byteCount: Int, _ dtype: DType, seed: UInt64) {
        memory = .allocate(byteCount: byteCount, alignment: 4096)
        RandomWeights.fill(memory, dtype, isNorm: false, seed: seed)
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { memory.deallocate() }
}
