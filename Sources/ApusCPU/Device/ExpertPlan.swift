import ApusCompute
import CApusKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which tokens go to which experts: rows in the order of experts, those of one in the order of tokens.
struct ExpertPlan {
    /// The rows of an expert that some token has chosen.
    struct Share {
        var expert: Int
        var rows: Range<Int>
    }

    private(set) var shares: [Share] = []
    /// The token of each row, and the weight of what the expert makes of it.
    private(set) var tokens: [Int32] = []
    private(set) var weights: [Float] = []
    /// The rows of each token, in the order of experts: [tokens, experts of a token]
    private(set) var rowsOfTokens: [Int32] = []
    private(set) var rowsPerToken = 0

    private var choices: [Int32] = []
    private var choiceWeights: [Float] = []
    private var counts: [Int] = []

    /// - Parameters:
    ///   - scores: [tokens, experts]
    ///   - sharedScores: [tokens]; the shared expert is the last, if there is one.
    mutating func plan(
        tokens count: Int, _ block: ExpertBlock, scores: UnsafePointer<Float>, sharedScores: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, scales: UnsafePointer<Float>?
    ) {
        let experts = block.experts.count
        let chosen = min(block.rule.chosen, experts)
        rowsPerToken = chosen + (block.shared == nil ? 0 : 1)
        resize(&choices, count * rowsPerToken, 0)
        resize(&choiceWeights, count * rowsPerToken, 0)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * experts) { room in
            guard let base = room.baseAddress else { return }
            for token in 0..<count {
                let place = token * rowsPerToken
                choose(
                    block.rule, scores + token * experts, bias, experts, chosen, scratch: base, at: place)
                if let scales {
                    for rank in place..<place + chosen { choiceWeights[rank] *= scales[Int(choices[rank])] }
                }
                if block.shared != nil {
                    choices[place + chosen] = Int32(experts)
                    choiceWeights[place + chosen] = sharedScores.map { 1 / (1 + expf(-$0[token])) } ?? 1
                }
            }
        }
        sort(count, experts: experts + 1)
    }

    /// Writes the experts of one token, in ascending order, and their weights.
    private mutating func choose(
        _ rule: RoutingRule, _ scores: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?, _ experts: Int,
        _ chosen: Int, scratch: UnsafeMutablePointer<Float>, at place: Int
    ) {
        let (weights, wishes) = (scratch, scratch + experts)
        switch rule.score {
        case .softmaxOfChosen: for expert in 0..<experts { weights[expert] = scores[expert] }
        case .sigmoid: for expert in 0..<experts { weights[expert] = 1 / (1 + expf(-scores[expert])) }
        case .softmax:
            for expert in 0..<experts { weights[expert] = scores[expert] }
            Self.softmax(weights, experts)
        }
        for expert in 0..<experts { wishes[expert] = weights[expert] + (bias?[expert] ?? 0) }
        if let groups = rule.groups { Self.dropGroups(groups, wishes, experts, scratch + 2 * experts) }
        // The best of what is left, the first of equals; -infinity marks what is taken.
        for rank in 0..<chosen {
            var best = 0
            for expert in 1..<experts where wishes[expert] > wishes[best] || wishes[best].isNaN { best = expert }
            wishes[best] = -.infinity
            choices[place + rank] = Int32(best)
        }
        choices[place..<place + chosen].sort()
        var sum: Float = 0
        if rule.score == .softmaxOfChosen {
            for rank in 0..<chosen { wishes[rank] = weights[Int(choices[place + rank])] }
            Self.softmax(wishes, chosen)
            for rank in 0..<chosen { choiceWeights[place + rank] = wishes[rank] * rule.factor }
            return
        }
        for rank in 0..<chosen { sum += weights[Int(choices[place + rank])] }
        let factor = rule.normalizes ? rule.factor / (sum + 1e-20) : rule.factor
        for rank in 0..<chosen { choiceWeights[place + rank] = weights[Int(choices[place + rank])] * factor }
    }

    private static func softmax(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
        var largest = x[0]
        for index in 1..<max(count, 1) { largest = max(largest, x[index]) }
        var sum: Float = 0
        for index in 0..<count {
            x[index] = expf(x[index] - largest)
            sum += x[index]
        }
        for index in 0..<count { x[index] /= sum }
    }

    /// Leaves only the groups whose two best experts are best together.
    private static func dropGroups(
        _ groups: RoutingRule.Groups, _ wishes: UnsafeMutablePointer<Float>, _ experts: Int,
        _ best: UnsafeMutablePointer<Float>
    ) {
        let size = experts / groups.count
        for group in 0..<groups.count {
            var (first, second) = (-Float.infinity, -Float.infinity)
            for expert in group * size..<(group + 1) * size {
                let wish = wishes[expert]
                if wish > first { (first, second) = (wish, first) } else if wish > second { second = wish }
            }
            best[group] = size > 1 ? first + second : first
        }
        for _ in 0..<groups.kept {
            var top = 0
            for group in 1..<max(groups.count, 1) where best[group] > best[top] || best[top].isNaN { top = group }
            best[top] = .nan
        }
        for group in 0..<groups.count where !best[group].isNaN {
            for expert in group * size..<(group + 1) * size { wishes[expert] = -.infinity }
        }
    }

    /// Rows by their experts.
    private mutating func sort(_ count: Int, experts: Int) {
        let rows = count * rowsPerToken
        resize(&counts, experts + 1, 0)
        for index in counts.indices { counts[index] = 0 }
        for index in 0..<rows { counts[Int(choices[index]) + 1] += 1 }
        shares.removeAll(keepingCapacity: true)
        for expert in 0..<experts {
            let size = counts[expert + 1]
            counts[expert + 1] += counts[expert]
            if size > 0 { shares.append(Share(expert: expert, rows: counts[expert]..<counts[expert + 1])) }
        }
        resize(&tokens, rows, 0)
        resize(&weights, rows, 0)
        resize(&rowsOfTokens, rows, 0)
        for index in 0..<rows {
            let row = counts[Int(choices[index])]
            counts[Int(choices[index])] += 1
            tokens[row] = Int32(index / rowsPerToken)
            weights[row] = choiceWeights[index]
            rowsOfTokens[index] = Int32(row)
        }
    }

    private func resize<Element>(_ array: inout [Element], _ count: Int, _ filling: Element) {
        if array.count > count { array.removeLast(array.count - count) }
        if array.count < count { array.append(contentsOf: repeatElement(filling, count: count - array.count)) }
    }
}
