/// Trims offsets in the reference; Apus gives none, so that nothing is left to do.
struct ByteLevelPostProcessor: PostProcessor {
    var addedCount: Int { 0 }

    func process(_ ids: [Int], addSpecialTokens: Bool) -> [Int] { ids }
}
