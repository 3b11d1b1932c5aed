import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension DecoderModel {
    /// The log-probability (natural) of each token of a text after those before it, the first left out: count - 1 values.
    ///
    /// - Parameter tokensPerStep: how many tokens go through the model at once, which changes no result.
    /// - Throws: `ModelError` (`.invalidBatch`) for tokens beyond the vocabulary, `ComputeError` from the device.
    package func logProbabilities(of tokens: [Int], tokensPerStep: Int = 512) throws -> [Double] {
        guard tokens.count > 1 else { return [] }
        let blockSize = KVCacheLayout.blockSize
        let inputs = tokens.dropLast()
        let blocks = (inputs.count + blockSize - 1) / blockSize
        let cache = try makeCache(blocks: blocks)
        var state = makeState()
        var result: [Double] = []
        for start in stride(from: 0, to: inputs.count, by: max(tokensPerStep, 1)) {
            let end = min(start + max(tokensPerStep, 1), inputs.count)
            var batch = ForwardBatch()
            for position in start..<end {
                // What no Int32 holds is beyond every vocabulary too.
                batch.tokens.append(Int32(exactly: tokens[position]) ?? -1)
                batch.positions.append(Int32(position))
                batch.rotaryLengths.append(Int32(inputs.count))
                batch.sequences.append(0)
                batch.slots.append(Int32(position))
                batch.outputs.append(Int32(position - start))
            }
            batch.blockTables = [(0..<Int32(blocks)).map { $0 }]
            let logits: [Float] = try device.download(forward(batch, cache: cache, state: &state)).elements()
            for row in 0..<end - start {
                let target = tokens[start + row + 1]
                guard (0..<spec.vocabularySize).contains(target) else {
                    throw ModelError.invalidBatch("token \(target) is beyond the vocabulary of \(spec.vocabularySize)")
                }
                let place = row * spec.vocabularySize
                result.append(Self.logProbability(of: target, logits[place..<place + spec.vocabularySize]))
            }
        }
        return result
    }

    private static func logProbability(of token: Int, _ logits: ArraySlice<Float>) -> Double {
        let largest = logits.max() ?? 0
        let sum = logits.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        return Double(logits[logits.startIndex + token] - largest) - log(sum)
    }
}
