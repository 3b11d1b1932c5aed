/// This process among those of an array job, by the variables that schedulers set.
package struct ArrayTask: Sendable, Equatable {
    /// Counted from 0.
    package let index: Int
    /// Of all tasks, where the scheduler tells it and it is the same whenever one runs again.
    package let count: Int?
    /// The variable that says so.
    package let variable: String

    private struct Contract {
        let index: String
        var count: String?
        /// What the first task's index is.
        var first = 0
        /// A value that says that this is no array.
        var none: String?
    }

    private static let contracts = [
        Contract(index: "JOB_COMPLETION_INDEX"),
        Contract(index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"),
        Contract(index: "AWS_BATCH_JOB_NODE_INDEX", count: "AWS_BATCH_JOB_NUM_NODES"),
        Contract(index: "BATCH_TASK_INDEX", count: "BATCH_TASK_COUNT"),
        Contract(index: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT"),
        Contract(index: "SKYPILOT_NODE_RANK", count: "SKYPILOT_NUM_NODES"),
        Contract(index: "PBS_ARRAY_INDEX"),
        Contract(index: "LSB_JOBINDEX", count: "LSB_JOBINDEX_END", first: 1, none: "0"),
        Contract(index: "SGE_TASK_ID", count: "SGE_TASK_LAST", first: 1, none: "undefined"),
        Contract(index: "FLUX_TASK_RANK", count: "FLUX_JOB_SIZE"),
        Contract(index: "PARALLEL_SEQ", first: 1),
    ]

    /// Throws `RunError` if no scheduler says anything, or two say different things.
    package init(environment: [String: String]) throws(RunError) {
        var found: [ArrayTask] = []
        if let task = try Self.slurm(environment) { found.append(task) }
        for contract in Self.contracts {
            guard let value = environment[contract.index], value != contract.none else { continue }
            let index = try Self.number(value, of: contract.index) - contract.first
            let count = try contract.count.flatMap { name in environment[name].map { (name, $0) } }.map {
                pair throws(RunError) in try Self.number(pair.1, of: pair.0)
            }
            guard index >= 0, count.map({ index < $0 }) ?? true else {
                throw RunError("\(contract.index)=\(value): is none of \(count.map(String.init) ?? "") tasks")
            }
            found.append(ArrayTask(index: index, count: count, variable: contract.index))
        }
        guard let first = found.first else {
            throw RunError("--shard auto: no variable of an array job is set, such as SLURM_ARRAY_TASK_ID")
        }
        if let other = found.first(where: { $0.index != first.index || $0.count != first.count && $0.count != nil }) {
            throw RunError(
                "--shard auto: \(first.variable) says task \(first.index), and \(other.variable) task \(other.index)"
                    + "\(other.count.map { " of \($0)" } ?? ""); give i/n")
        }
        self = first
    }

    private init(index: Int, count: Int?, variable: String) {
        self.index = index
        self.count = count
        self.variable = variable
    }

    /// Slurm's count is of the tasks submitted together: of all only where they are 0 to the last without a gap, and even
    /// then a part that runs again may look like that, so that the manifest counts first.
    private static func slurm(_ environment: [String: String]) throws(RunError) -> ArrayTask? {
        let name = "SLURM_ARRAY_TASK_ID"
        guard let value = environment[name] else { return nil }
        func part(_ suffix: String) -> Int? { environment["SLURM_ARRAY_TASK_\(suffix)"].flatMap { Int($0) } }
        var count = part("COUNT")
        if part("MIN") != 0 || count == nil || part("MAX") != count.map({ $0 - 1 }) { count = nil }
        return ArrayTask(index: try number(value, of: name), count: count, variable: name)
    }

    private static func number(_ text: String, of name: String) throws(RunError) -> Int {
        guard let number = Int(text), number >= 0 else { throw RunError("\(name)=\(text): is no number of a task") }
        return number
    }
}
