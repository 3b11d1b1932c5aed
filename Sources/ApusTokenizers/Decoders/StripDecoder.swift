/// Removes up to a number of times one character from the start and the end of each token.
struct StripDecoder: Decoder {
    let content: [UInt8]
    let start: Int
    let stop: Int

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        content = Array(String(try configuration.scalar("content")).utf8)
        start = Int(try configuration.natural("start"))
        stop = Int(try configuration.natural("stop"))
    }

    func stages() -> [any DecoderStage] { [Stage(decoder: self)] }

    private struct Stage: DecoderStage {
        let decoder: StripDecoder
        /// How many may still be removed from the token's start; 0 once another character came.
        private var remaining: Int
        /// How many of the character were held back because the token may end after them.
        private var held = 0

        init(decoder: StripDecoder) {
            self.decoder = decoder
            remaining = decoder.start
        }

        mutating func receive(_ fragment: TokenFragment, into output: inout [TokenFragment]) {
            var bytes = fragment.bytes[...]
            let content = decoder.content
            while remaining > 0, !bytes.isEmpty {
                guard bytes.starts(with: content) else {
                    remaining = 0
                    break
                }
                bytes = bytes.dropFirst(content.count)
                remaining -= 1
            }
            if !bytes.isEmpty { remaining = 0 }
            var kept: [UInt8] = []
            if decoder.stop == 0 {
                kept = Array(bytes)
            } else {
                var trailing = 0
                while bytes.count >= content.count, bytes.suffix(content.count).elementsEqual(content) {
                    bytes = bytes.dropLast(content.count)
                    trailing += 1
                }
                if bytes.isEmpty {
                    held += trailing
                } else {
                    for _ in 0..<held { kept += content }
                    kept += bytes
                    held = trailing
                }
                let released = max(held - decoder.stop, 0)
                for _ in 0..<released { kept += content }
                held -= released
            }
            output.append(TokenFragment(bytes: kept, endsToken: fragment.endsToken))
            guard fragment.endsToken else { return }
            remaining = decoder.start
            held = 0
        }
    }
}
