import ApusCompute
import CApusKernels

/// One product of a call: its weight, and what the kernel needs to know.
struct LinearPart: @unchecked Sendable {
    let weight: CPUWeight
    /// The packed rows of the weight; `nil` if they are packed on the way.
    let panels: UnsafeRawPointer?
    var task: apus_linear

    /// Multiplies the panels of a range. `scratch` has room for `scratchByteCount`.
    func multiply(_ range: Range<Int>, _ kernels: apus_kernels, scratch: UnsafeMutableRawPointer) {
        var task = task
        task.scratch = scratch
        if panels != nil { return kernels.linear(&task, range.lowerBound, range.upperBound) }

        let room = scratch + kernels.linear_scratch(task.type, task.inputs).roundedUp(to: 64)
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.packedTogether) {
            let some = first..<min(first + Self.packedTogether, range.upperBound)
            weight.pack(panels: some, into: room)
            // The same product, of the outputs from these panels on.
            var part = task
            part.panels = UnsafeRawPointer(room)
            part.y = task.y + first * CPUWeight.panel
            part.bias = task.bias.map { $0 + first * CPUWeight.panel }
            part.outputs = task.outputs - first * CPUWeight.panel
            kernels.linear(&part, 0, some.count)
        }
    }

    func scratchByteCount(_ kernels: apus_kernels) -> Int {
        let own = kernels.linear_scratch(task.type, task.inputs).roundedUp(to: 64)
        return panels == nil ? own + Self.packedTogether * weight.panelByteCount : own
    }

    /// Panels that are packed into scratch before they are multiplied: as many as a kernel takes together.
    private static let packedTogether = 4
}

extension Int {
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
