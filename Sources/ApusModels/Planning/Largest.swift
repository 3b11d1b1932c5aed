/// The largest number below an end that something holds for, which holds for the first and for all between.
package func largest(from first: Int, below end: Int, where holds: (Int) throws -> Bool) rethrows -> Int {
    var (low, high) = (first, min(first.addingReportingOverflow(1).partialValue, end))
    while high < end, try holds(high) {
        let (twice, overflow) = high.multipliedReportingOverflow(by: 2)
        (low, high) = (high, overflow ? end : twice)
    }
    high = min(high, end)
    while high - low > 1 {
        let middle = low + (high - low) / 2
        if try holds(middle) { low = middle } else { high = middle }
    }
    return low
}
