/// Which part of what a checkpoint stores as one matrix is another: output o is row `first + o / run · period + o % run`.
///
/// Every fused layout is so: some groups, one after the other, each of the same parts in the same order.
package struct MatrixView: Sendable, Hashable {
    /// Rows of what is stored.
    package let storedOutputs: Int
    package let first: Int
    package let run: Int
    package let period: Int
    /// Whether elements are stored as [inputs, outputs].
    package let isTransposed: Bool

    package init(storedOutputs: Int, first: Int = 0, run: Int, period: Int, isTransposed: Bool = false) {
        self.storedOutputs = storedOutputs
        self.first = first
        self.run = run
        self.period = period
        self.isTransposed = isTransposed
    }

    /// A matrix that stands alone.
    package init(outputs: Int, isTransposed: Bool = false) {
        self.init(storedOutputs: outputs, run: outputs, period: outputs, isTransposed: isTransposed)
    }

    /// The same part of what is stored by outputs.
    package var byOutputs: MatrixView {
        MatrixView(storedOutputs: storedOutputs, first: first, run: run, period: period)
    }

    /// The row of what is stored that holds an output.
    package func row(_ output: Int) -> Int { first + output / run * period + output % run }

    /// From which row of what is stored to which its outputs are, whatever lies between.
    package func extent(outputs: Int) -> Range<Int> { outputs > 0 ? first..<row(outputs - 1) + 1 : first..<first }

    /// The rows of a matrix of so many outputs, if they follow each other in memory.
    func rows(outputs: Int) -> Range<Int>? { isTransposed || run < outputs ? nil : first..<first + outputs }

    /// Whether all outputs are rows of what is stored: the last is the farthest.
    func fits(outputs: Int) -> Bool {
        guard outputs > 0 else { return outputs == 0 }
        guard first >= 0, run > 0, period >= run, first < storedOutputs else { return false }
        let (start, overflow) = ((outputs - 1) / run).multipliedReportingOverflow(by: period)
        return !overflow && start < storedOutputs - first && row(outputs - 1) < storedOutputs
    }
}
