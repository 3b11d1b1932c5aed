import Apus

/// What the benchmark continues: ten opening lines, over and over, or random tokens where there is no tokenizer.
enum BenchPrompts {
    /// Eight to thirty tokens each under the tokenizers in use.
    static let openings = [
        "The lighthouse keeper counted the ships every evening, and tonight there was one too many.",
        "A recipe for bread begins with patience, flour, water and salt, in that order.",
        "When the last train left the station, nobody noticed the small dog that stayed on the platform.",
        "To sort a list of numbers quickly, first choose one of them and",
        "The museum opens at nine, but its oldest clock has been running late since the winter of 1884.",
        "Once there was a river that wanted to see the mountains it came from.",
        "In the second half of the match, the visitors changed their tactics and",
        "Dear neighbours, please remember that the garden gate must be closed at night, because the goats have learned to read.",
        "Light from the nearest star takes a little more than four years to reach us, so",
        "She opened the letter slowly, as if the words might fly away.",
    ]

    /// The token ids of `count` prompts.
    static func encoded(_ count: Int, by tokenizer: Tokenizer) -> [[Int]] {
        let lines = openings.map { tokenizer.encode($0) }
        return (0..<count).map { lines[$0 % lines.count] }
    }

    /// `count` prompts of 8 to 30 tokens drawn from a vocabulary.
    static func random(_ count: Int, vocabulary: Int) -> [[Int]] {
        (0..<count).map { index in
            // Ten lengths, evenly spread.
            random(length: 8 + index % 10 * 22 / 9, vocabulary: vocabulary, seed: UInt64(index))
        }
    }

    /// One prompt of random tokens, the same for the same seed.
    static func random(length: Int, vocabulary: Int, seed: UInt64) -> [Int] {
        var state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
        return (0..<length).map { _ in
            // xorshift64* (Vigna, arXiv 1402.6246)
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % max(vocabulary, 1)
        }
    }
}
