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
        let most = min(max(tokensPerStep, 1), inputs.count)
        let run = try ModelRun(
            self, StepLimits(tokens: most, outputs: most, sequences: 1, blocksPerSequence: blocks, blocks: blocks))
        var result: [Double] = []
        for start in stride(from: 0, to: inputs.count, by: most) {
            let end = min(start + most, inputs.count)
            var batch = ForwardBatch()
            for position in start..<end {
                // What no Int32 holds is beyond every vocabulary too.
                batch.tokens.append(Int32(exactly: tokens[position]) ?? -1)
                batch.positions.append(Int32(position))
                batch.rotaryLengths.append(Int32(tokens.count))
                batch.sequences.append(0)
                batch.slots.append(Int32(position))
                batch.outputs.append(Int32(position - start))
            }
            if start == 0 { batch.setTable(of: 0, 0..<Int32(blocks)) }
            let logits = try run.logits(of: batch)
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
