extension Regex {
    /// The end of the match that starts at a position of the part of a text, if there is one.
    func match(in text: UTF8Text, part: Range<Int>, at start: Int) -> Int? {
        let attempt = RegexAttempt(regex: self, text: text, part: part)
        return attempt.run(from: 0, at: start, mustEndAt: nil)
    }

    /// Every match from left to right; an empty one right after another match is passed over, as rust-onig does.
    func forEachMatch(in text: UTF8Text, part: Range<Int>, _ body: (Range<Int>) -> Void) {
        var searchStart = part.lowerBound
        var lastEnd: Int?
        while searchStart <= part.upperBound {
            var start = searchStart
            var found: Int?
            while true {
                found = match(in: text, part: part, at: start)
                if found != nil || start >= part.upperBound { break }
                start += text.scalar(at: start).length
            }
            guard let end = found else { return }
            if end == start, lastEnd == end {
                guard searchStart < part.upperBound else { return }
                searchStart += text.scalar(at: searchStart).length
                continue
            }
            searchStart = end
            lastEnd = end
            body(start..<end)
        }
    }
}

/// One attempt to match from one position.
private struct RegexAttempt {
    let regex: Regex
    let text: UTF8Text
    let part: Range<Int>

    /// Steps after which failures are remembered.
    private static let patience = 2_000

    private enum Choice {
        case resume(instruction: Int, position: Int)
        /// A run may give back scalars, down to a position.
        case giveBack(instruction: Int, position: Int, minimum: Int)
        /// A lazy run may take further scalars.
        case takeMore(instruction: Int, position: Int, set: Int, remaining: Int)
    }

    private struct Place: Hashable {
        var instruction: Int
        var position: Int
    }

    func run(from first: Int, at start: Int, mustEndAt requiredEnd: Int?) -> Int? {
        var choices: [Choice] = []
        var visited = Set<Place>()
        var steps = 0
        var state: Place? = Place(instruction: first, position: start)
        while true {
            guard let current = state else {
                guard let choice = choices.popLast() else { return nil }
                state = resume(choice, &choices)
                continue
            }
            steps += 1
            var instruction = current.instruction + 1
            var position = current.position
            switch regex.instructions[current.instruction] {
            case .match:
                if requiredEnd == nil || requiredEnd == position { return position }
                state = nil
                continue
            case .jump(let target): instruction = target
            case .set(let set):
                guard position < part.upperBound else {
                    state = nil
                    continue
                }
                let (scalar, length) = text.scalar(at: position)
                guard regex.sets[set].contains(scalar) else {
                    state = nil
                    continue
                }
                position += length
            case .run(let set, let repetition):
                if steps > Self.patience, !visited.insert(current).inserted {
                    state = nil
                    continue
                }
                state = take(set, repetition, at: current, &choices)
                continue
            case .split(let first, let second, let isLoop):
                if isLoop || steps > Self.patience, !visited.insert(current).inserted {
                    state = nil
                    continue
                }
                choices.append(.resume(instruction: second, position: position))
                instruction = first
            case .assertion(let assertion):
                guard holds(assertion, at: position) else {
                    state = nil
                    continue
                }
            case .look(let isNegative, let end):
                guard (run(from: instruction, at: position, mustEndAt: nil) != nil) != isNegative else {
                    state = nil
                    continue
                }
                instruction = end
            case .lookBehind(let lengths, let isNegative, let end):
                guard isBehind(position, from: instruction, lengths) != isNegative else {
                    state = nil
                    continue
                }
                instruction = end
            case .atomic(let end):
                guard let matched = run(from: instruction, at: position, mustEndAt: nil) else {
                    state = nil
                    continue
                }
                position = matched
                instruction = end
            }
            state = Place(instruction: instruction, position: position)
        }
    }

    private func resume(_ choice: Choice, _ choices: inout [Choice]) -> Place? {
        switch choice {
        case .resume(let instruction, let position):
            return Place(instruction: instruction, position: position)
        case .giveBack(let instruction, let position, let minimum):
            let shorter = text.startOfScalar(endingAt: position)
            if shorter > minimum {
                choices.append(.giveBack(instruction: instruction, position: shorter, minimum: minimum))
            }
            return Place(instruction: instruction, position: shorter)
        case .takeMore(let instruction, let position, let set, let remaining):
            guard position < part.upperBound else { return nil }
            let (scalar, length) = text.scalar(at: position)
            guard regex.sets[set].contains(scalar) else { return nil }
            if remaining > 1 {
                choices.append(
                    .takeMore(
                        instruction: instruction, position: position + length, set: set, remaining: remaining - 1))
            }
            return Place(instruction: instruction, position: position + length)
        }
    }

    private func take(_ set: Int, _ repetition: RegexRepetition, at place: Place, _ choices: inout [Choice]) -> Place? {
        let maximum = repetition.maximum ?? Int.max
        let wanted = repetition.kind == .lazy ? repetition.minimum : maximum
        var count = 0
        var position = place.position
        var minimum = repetition.minimum == 0 ? position : -1
        while count < wanted, position < part.upperBound {
            let (scalar, length) = text.scalar(at: position)
            guard regex.sets[set].contains(scalar) else { break }
            position += length
            count += 1
            if count == repetition.minimum { minimum = position }
        }
        guard count >= repetition.minimum else { return nil }
        let next = place.instruction + 1
        switch repetition.kind {
        case .possessive: break
        case .greedy:
            if position > minimum {
                choices.append(.giveBack(instruction: next, position: position, minimum: minimum))
            }
        case .lazy:
            if maximum > count {
                choices.append(
                    .takeMore(instruction: next, position: position, set: set, remaining: maximum - count))
            }
        }
        return Place(instruction: next, position: position)
    }

    private func isBehind(_ position: Int, from instruction: Int, _ lengths: [Int]) -> Bool {
        for length in lengths {
            var start = position
            var remaining = length
            while remaining > 0, start > part.lowerBound {
                start = text.startOfScalar(endingAt: start)
                remaining -= 1
            }
            if remaining == 0, run(from: instruction, at: start, mustEndAt: position) != nil { return true }
        }
        return false
    }

    private func holds(_ assertion: RegexAssertion, at position: Int) -> Bool {
        switch assertion {
        case .textStart: return position == part.lowerBound
        case .textEnd: return position == part.upperBound
        case .textEndOrFinalNewline:
            return position == part.upperBound || position == part.upperBound - 1 && text[position] == 0x0A
        // The end of a text that ends in a newline starts no line.
        case .lineStart:
            return position == part.lowerBound || text[position - 1] == 0x0A && position < part.upperBound
        case .lineEnd: return position == part.upperBound || text[position] == 0x0A
        case .wordBoundary: return isWord(before: position) != isWord(at: position)
        case .notWordBoundary: return isWord(before: position) == isWord(at: position)
        }
    }

    private func isWord(at position: Int) -> Bool {
        position < part.upperBound
            && ScalarClasses.oniguruma.contains(ScalarClasses.word, text.scalar(at: position).value)
    }

    private func isWord(before position: Int) -> Bool {
        position > part.lowerBound && isWord(at: text.startOfScalar(endingAt: position))
    }
}
