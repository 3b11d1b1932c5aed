/// What a model of SentencePiece says
/// (https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto).
struct SentencePieceFile {
    enum Kind: Int {
        case normal = 1
        case unknown, control, user, unused, byte
    }

    struct Piece {
        var text: [UInt8] = []
        var score: Float = 0
        var kind = Kind.normal
    }

    enum Algorithm: Int {
        case unigram = 1
        case bpe = 2
    }

    /// By ids.
    private(set) var pieces: [Piece] = []
    private(set) var algorithm = Algorithm.unigram
    private(set) var fallsBackToBytes = false
    private(set) var unknownSurface = Array(" \u{2047} ".utf8)
    private(set) var bos = Array("<s>".utf8)
    private(set) var eos = Array("</s>".utf8)
    private(set) var pad = Array("<pad>".utf8)
    private(set) var normalization = Normalization()

    struct Normalization {
        var map: CharacterMap?
        var addsDummyPrefix = true
        var removesExtraSpaces = true
        var escapesSpaces = true
        var putsSpacesBehind = false
    }

    /// Of pieces that stand in a file of another kind, and fall back to bytes if there are such among them.
    /// Throws `malformed`.
    init(
        pieces: [Piece], algorithm: Algorithm, normalization: Normalization, at place: String
    ) throws(TokenizerError) {
        (self.pieces, self.algorithm, self.normalization) = (pieces, algorithm, normalization)
        fallsBackToBytes = pieces.contains { $0.kind == .byte }
        try check(place)
    }

    /// Throws `malformed` or `unsupported` naming what is wrong with the file.
    init(_ bytes: [UInt8], at place: String) throws(TokenizerError) {
        var reader = ProtobufReader(bytes[...], at: place)
        while let (field, value) = try reader.next() {
            guard let message = value.bytes else { continue }
            switch field {
            case 1: pieces.append(try Self.piece(message, number: pieces.count, at: place))
            case 2: try readTrainer(message, at: place)
            case 3: try readNormalizer(message, at: place)
            case 5 where !message.isEmpty:
                var inner = ProtobufReader(message, at: place)
                while let (field, value) = try inner.next() {
                    guard field != 2 || value.bytes?.isEmpty ?? true else {
                        throw .unsupported("\(place): a denormalizer is not supported")
                    }
                }
            default: break
            }
        }
        try check(place)
    }

    private static func piece(
        _ message: ArraySlice<UInt8>, number: Int, at place: String
    ) throws(TokenizerError) -> Piece {
        var piece = Piece()
        var reader = ProtobufReader(message, at: place)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: piece.text = value.bytes.map { Array($0) } ?? []
            case 2: piece.score = value.float ?? 0
            case 3:
                guard let kind = value.integer.flatMap(Kind.init) else {
                    throw .malformed("\(place): piece \(number) is of no known kind")
                }
                piece.kind = kind
            default: break
            }
        }
        guard !piece.text.isEmpty, String(validating: piece.text, as: UTF8.self) != nil, piece.score.isFinite else {
            throw .malformed("\(place): piece \(number) is no text with a score")
        }
        return piece
    }

    private mutating func readTrainer(_ message: ArraySlice<UInt8>, at place: String) throws(TokenizerError) {
        var reader = ProtobufReader(message, at: place)
        while let (field, value) = try reader.next() {
            switch field {
            case 3:
                guard let algorithm = value.integer.flatMap(Algorithm.init) else {
                    throw .unsupported("\(place): only models of the kinds unigram and bpe are supported")
                }
                self.algorithm = algorithm
            case 24: normalization.putsSpacesBehind = value.bool ?? false
            case 35: fallsBackToBytes = value.bool ?? false
            case 44: unknownSurface = value.bytes.map { Array($0) } ?? unknownSurface
            case 46: bos = value.bytes.map { Array($0) } ?? bos
            case 47: eos = value.bytes.map { Array($0) } ?? eos
            case 48: pad = value.bytes.map { Array($0) } ?? pad
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ message: ArraySlice<UInt8>, at place: String) throws(TokenizerError) {
        var reader = ProtobufReader(message, at: place)
        while let (field, value) = try reader.next() {
            switch field {
            case 2:
                guard let bytes = value.bytes, !bytes.isEmpty else { break }
                guard let map = CharacterMap(Array(bytes)) else {
                    throw .malformed("\(place): its table of replacements is broken")
                }
                normalization.map = map
            case 3: normalization.addsDummyPrefix = value.bool ?? true
            case 4: normalization.removesExtraSpaces = value.bool ?? true
            case 5: normalization.escapesSpaces = value.bool ?? true
            default: break
            }
        }
    }

    private func check(_ place: String) throws(TokenizerError) {
        var seen: Set<[UInt8]> = []
        for (number, piece) in pieces.enumerated() {
            guard seen.insert(piece.text).inserted else {
                throw .malformed("\(place): piece \(number) is there already")
            }
        }
        guard !pieces.isEmpty else { throw .malformed("\(place): holds no pieces") }
        let unknowns = pieces.count { $0.kind == .unknown }
        guard unknowns == 1 else { throw .malformed("\(place): has \(unknowns) pieces for what is unknown, not one") }
        if fallsBackToBytes {
            let bytes = pieces.count { $0.kind == .byte }
            guard bytes == 256 else { throw .malformed("\(place): has \(bytes) pieces for bytes, not 256") }
        }
    }
}
