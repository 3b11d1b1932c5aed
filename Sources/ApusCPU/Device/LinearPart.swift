import ApusCompute
import CApusKernels

/// One product of a call: its weight, and what the kernel needs to know.
struct LinearPart: @unchecked Sendable {
    /// Kept by the call's products: threads that counted references to it with every chunk would wait for each other.
    private unowned(unsafe) let weight: CPUWeight
    let panelCount: Int
    /// The packed rows of the weight; `nil` if they are packed on the way.
    private let panels: UnsafeRawPointer?
    var task: apus_linear

    init(_ weight: CPUWeight, task: apus_linear) {
        self.weight = weight
        panelCount = weight.panelCount
        panels = weight.panels
        self.task = task
        self.task.panels = panels
    }

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
            part.y = task.y + first * CPUWeight.panel
            part.bias = task.bias.map { $0 + first * CPUWeight.panel }
            part.outputs = task.outputs - first * CPUWeight.panel
            part.panels = UnsafeRawPointer(room)
            kernels.linear(&part, 0, some.count)
        }
    }

    /// Multiplies the panels of a range, whose results alone come to `results`.
    func multiply(
        _ range: Range<Int>, _ kernels: apus_kernels, scratch: UnsafeMutableRawPointer,
        into results: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var part = self
        part.task.y = results - range.lowerBound * CPUWeight.panel
        part.task.y_stride = stride
        part.multiply(range, kernels, scratch: scratch)
    }

    func scratchByteCount(_ kernels: apus_kernels) -> Int {
        Self.scratchByteCount(kernels, task.type, inputs: task.inputs, isUnprepared: panels == nil)
    }

    static func scratchByteCount(
        _ kernels: apus_kernels, _ type: apus_dtype, inputs: Int, isUnprepared: Bool
    ) -> Int {
        let own = kernels.linear_scratch(type, inputs).roundedUp(to: 64)
        return isUnprepared ? own + packedTogether * apus_panel_bytes(type, inputs) : own
    }

    /// Panels that are packed into scratch before they are multiplied: as many as a kernel takes together.
    private static let packedTogether = 4
}

extension Int {
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
