/// Reads tokens such as `<0xE2>` as bytes. A run of them that is UTF-8 becomes text; one that is not becomes one U+FFFD
/// a byte, so a run is held back until it ends.
struct ByteFallbackDecoder: Decoder {
    var byteNotation: ByteNotation? { .fallback }

    func stages() -> [any DecoderStage] { [TokenCompletion(), Stage()] }

    private struct Stage: DecoderStage {
        private var run: [UInt8] = []

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            if let byte = ByteFallbackDecoder.byte(of: fragment.bytes) {
                run.append(byte)
                return
            }
            finish(into: &output)
            output.append(fragment)
        }

        mutating func finish(into output: inout [TokenFragment]) {
            guard !run.isEmpty else { return }
            if String(validating: run, as: UTF8.self) != nil {
                output.append(TokenFragment(bytes: run, endsToken: true))
            } else {
                for _ in run { output.append(TokenFragment(bytes: UTF8Repair.replacement, endsToken: true)) }
            }
            run.removeAll(keepingCapacity: true)
        }
    }

    static func byte(of token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}
