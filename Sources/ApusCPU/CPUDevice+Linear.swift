package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func linear(_ x: Tensor, _ weight: any PreparedWeight, bias: Tensor?, into y: Tensor) throws(ComputeError) {
        let weight = try self.weight(weight)
        let rows = x.shape.dimensions.first ?? 0
        let outputs = weight.shape[0]
        let inputs = weight.shape[1]
        try check(x, is: [rows, inputs], "the input of a product")
        try check(y, is: [rows, outputs], "the result of a product")
        if let bias { try check(bias, is: [outputs], "a bias") }
        guard rows > 0, outputs > 0, inputs > 0 else { return }

        var task = apus_linear()
        task.weight = weight.pointer
        task.bias = try bias.map { tensor throws(ComputeError) in UnsafePointer(try floats(tensor)) }
        task.x = UnsafePointer(try floats(x))
        task.y = try floats(y)
        task.rows = rows
        task.inputs = inputs
        task.outputs = outputs
        task.weight_type = try kernelType(weight.dtype, of: "weight")

        try workspace.withLock { workspace throws(ComputeError) in
            let needed = kernels.linear_workspace(task.weight_type, rows, inputs)
            task.packed = try Self.grow(&workspace.packed, to: needed).pointer
            run(task)
        }
    }

    /// Packs the activations, then multiplies. A chunk is a group of outputs small enough that the team ends together.
    private func run(_ task: apus_linear) {
        let group = 16
        nonisolated(unsafe) let task = task
        let rowGroups = (task.rows + group - 1) / group
        team.run(chunks: rowGroups) { chunk, _ in
            withUnsafePointer(to: task) {
                kernels.linear_pack($0, chunk * group, min((chunk + 1) * group, task.rows))
            }
        }
        let groups = (task.outputs + group - 1) / group
        let groupsPerChunk = min(max(groups / (team.count * 8), 1), 8)
        let chunk = groupsPerChunk * group
        team.run(chunks: (task.outputs + chunk - 1) / chunk) { index, _ in
            withUnsafePointer(to: task) {
                kernels.linear($0, index * chunk, min((index + 1) * chunk, task.outputs))
            }
        }
    }

    static func grow(_ memory: inout CPUMemory?, to byteCount: Int) throws(ComputeError) -> CPUMemory {
        if let memory, memory.byteCount >= byteCount { return memory }
        let larger = try CPUMemory(byteCount: max(byteCount, 64))
        memory = larger
        return larger
    }
}
