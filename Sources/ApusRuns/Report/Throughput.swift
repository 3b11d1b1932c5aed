/// Tokens per second over the time of a run, in equal intervals.
struct Throughput {
    /// Seconds of an interval.
    let interval: Double
    /// Of all ranks.
    let total: [Double]
    let ranks: [[Double]]

    var seconds: Double { interval * Double(total.count) }

    /// `nil` where the record has too few samples, or too few tokens, to say anything over time.
    init?(_ record: RunRecord, intervals: Int) {
        let samples = record.samples.filter { $0.seconds.isFinite && $0.seconds >= 0 }.sorted {
            $0.seconds < $1.seconds
        }
        guard samples.count > 1, let end = samples.last?.seconds, end > 0 else { return nil }
        // Two samples an interval, so that chance does not show as a comb.
        let count = max(min(intervals, samples.count / 2), 2)
        let interval = end / Double(count)
        self.interval = interval
        ranks = record.ranks.indices.map { rank in
            let points =
                [(0.0, 0.0)]
                + samples.map { sample in
                    (sample.seconds, sample.tokens.indices.contains(rank) ? Double(sample.tokens[rank]) : 0)
                }
            var rates: [Double] = []
            var cursor = 1
            var before = 0.0
            for index in 1...count {
                let time = interval * Double(index)
                while cursor < points.count - 1, points[cursor].0 < time { cursor += 1 }
                let after = Self.value(at: time, between: points[cursor - 1], and: points[cursor])
                rates.append(max(after - before, 0) / interval)
                before = after
            }
            return rates
        }
        total = (0..<count).map { [ranks] index in ranks.reduce(0) { $0 + $1[index] } }
        guard total.contains(where: { $0 > 0 }) else { return nil }
    }

    private static func value(
        at time: Double, between first: (Double, Double), and second: (Double, Double)
    ) -> Double {
        guard second.0 > first.0 else { return second.1 }
        return first.1 + (second.1 - first.1) * min(max((time - first.0) / (second.0 - first.0), 0), 1)
    }
}
