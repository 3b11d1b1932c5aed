extension BytePairModel {
    func tokenize(_ text: PreTokenizedText, into output: inout [Int]) {
        guard !text.pieces.isEmpty else { return }
        words.withCache { cache in
            var merger = WordMerger()
            text.bytes.withUnsafeBufferPointer { bytes in
                for piece in text.pieces {
                    tokenize(UnsafeBufferPointer(rebasing: bytes[piece]), &cache, &merger, into: &output)
                }
            }
        }
    }

    private func tokenize(
        _ piece: UTF8Text, _ cache: inout WordCache, _ merger: inout WordMerger, into output: inout [Int]
    ) {
        guard startsWordsAtSpaceMark else { return tokenizeWord(piece, &cache, &merger, into: &output) }
        piece.forEachMarkedWord(in: 0..<piece.count) { word in
            tokenizeWord(UnsafeBufferPointer(rebasing: piece[word]), &cache, &merger, into: &output)
        }
    }

    private func tokenizeWord(
        _ word: UTF8Text, _ cache: inout WordCache, _ merger: inout WordMerger, into output: inout [Int]
    ) {
        guard word.count <= WordCache.longestWord else {
            fill(&merger, word)
            for token in merger.symbols { output.append(Int(token)) }
            return
        }
        let hash = ByteHash.hash(word)
        if cache.append(word, hash: hash, to: &output) { return }
        fill(&merger, word)
        for token in merger.symbols { output.append(Int(token)) }
        cache.insert(word, hash: hash, merger.symbols)
    }

    /// Leaves a word's tokens in the merger's symbols.
    private func fill(_ merger: inout WordMerger, _ word: UTF8Text) {
        merger.symbols.removeAll(keepingCapacity: true)
        if options.ignoresMerges, let token = (byteWords ?? vocabulary).id(for: word) {
            merger.symbols.append(token)
            return
        }
        if let byteTokens {
            appendBytes(of: word, byteTokens, to: &merger.symbols)
        } else {
            appendScalars(of: word, to: &merger.symbols)
        }
        merger.merge(merges)
    }

    private func appendBytes(of word: UTF8Text, _ byteTokens: [UInt32?], to symbols: inout [UInt32]) {
        var isAfterUnknown = false
        for byte in word {
            if let token = byteTokens[Int(byte)] {
                symbols.append(token)
                isAfterUnknown = false
            } else if let unknown = options.unknownToken {
                if !(isAfterUnknown && options.fusesUnknown) { symbols.append(unknown) }
                isAfterUnknown = true
            }
        }
    }

    private func appendScalars(of word: UTF8Text, to symbols: inout [UInt32]) {
        // An unknown character waits for the next known one. Bytes that stand in for a character overtake it, as in
        // the reference.
        var isUnknownPending = false
        var position = 0
        var marked: [UInt8] = []
        while position < word.count {
            let start = position
            let (scalar, length) = word.scalar(at: start)
            position += length
            var known = scalarTokens[scalar]
            if options.marksPlaces {
                marked.removeAll(keepingCapacity: true)
                if start > 0 { marked += options.continuingPrefix }
                marked.append(contentsOf: word[start..<position])
                if position == word.count { marked += options.wordSuffix }
                known = vocabulary.id(for: marked)
            }
            if let known {
                if isUnknownPending, let unknown = options.unknownToken { symbols.append(unknown) }
                isUnknownPending = false
                symbols.append(known)
                continue
            }
            if options.fallsBackToBytes {
                let isWhole =
                    options.marksPlaces
                    ? appendFallback(of: marked, to: &symbols)
                    : appendFallback(of: word[start..<position], to: &symbols)
                if isWhole { continue }
            }
            if isUnknownPending, !options.fusesUnknown, let unknown = options.unknownToken { symbols.append(unknown) }
            isUnknownPending = options.unknownToken != nil
        }
        if isUnknownPending, let unknown = options.unknownToken { symbols.append(unknown) }
    }

    /// Appends the byte tokens of a character if all of them exist.
    private func appendFallback(of character: some Collection<UInt8>, to symbols: inout [UInt32]) -> Bool {
        guard character.allSatisfy({ fallbackTokens[Int($0)] != nil }) else { return false }
        for byte in character { if let token = fallbackTokens[Int(byte)] { symbols.append(token) } }
        return true
    }
}
