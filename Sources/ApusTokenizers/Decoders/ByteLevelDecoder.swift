/// Reads GPT-2's alphabet back into bytes and joins all tokens into one; bytes that are no UTF-8 become U+FFFD.
struct ByteLevelDecoder: Decoder {
    var byteNotation: ByteNotation? { .alphabet }

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage()] }

    private struct Stage: DecoderStage {
        private var repair = UTF8Repair()

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            let bytes = fragment.bytes.withUnsafeBufferPointer { ByteAlphabet.decode($0) } ?? fragment.bytes
            var text: [UInt8] = []
            for byte in bytes { repair.append(byte, to: &text) }
            if !text.isEmpty { output.append(TokenFragment(bytes: text, endsToken: false)) }
        }

        mutating func finish(into output: inout [TokenFragment]) {
            var text: [UInt8] = []
            repair.finish(into: &text)
            output.append(TokenFragment(bytes: text, endsToken: true))
        }
    }
}
