import ApusCompute
import CApusKernels

/// One product of a call: its weight, and what the kernel needs to know.
struct LinearPart: @unchecked Sendable {
    /// Kept by the call's products: threads that counted references to it with every chunk would wait for each other.
    unowned(unsafe) let weight: CPUWeight
    let panelCount: Int
    let form: ActivationForm
    /// The packed rows of the weight; `nil` if they are packed on the way.
    private let panels: UnsafeRawPointer?
    var task: apus_linear
    let epilogue: Product.Epilogue?

    init(_ weight: CPUWeight, task: apus_linear, epilogue: Product.Epilogue?) {
        self.weight = weight
        self.epilogue = epilogue
        panelCount = weight.panelCount
        form = weight.form
        panels = weight.panels
        self.task = task
        self.task.panels = panels
    }

    /// Multiplies the panels of a range. `scratch` has room for `scratchByteCount`.
    func multiply(_ range: Range<Int>, _ kernels: apus_kernels, scratch: UnsafeMutableRawPointer) {
        var task = task
        task.scratch = scratch
        if panels != nil { return kernels.linear(&task, range.lowerBound, range.upperBound) }

        let direct = rawPanels(range, kernels)
        if direct > 0 {
            task.rows_of_weight = weight.source.bytes.baseAddress
            kernels.linear(&task, range.lowerBound, range.lowerBound + direct)
            task.rows_of_weight = nil
        }
        let room = scratch + kernels.linear_scratch(task.type, task.inputs).roundedUp(to: 64)
        for first in stride(from: range.lowerBound + direct, to: range.upperBound, by: Self.packedTogether) {
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

    /// Does to the results of a range of panels what comes after the product.
    func finish(_ range: Range<Int>, _ epilogue: Product.Epilogue, _ kernels: apus_kernels) {
        let first = range.lowerBound * CPUWeight.panel
        let width = min(range.upperBound * CPUWeight.panel, task.outputs) - first
        for row in 0..<task.rows {
            let y = task.y + row * task.y_stride + first
            switch epilogue {
            case .activation(let activation): kernels.activate(activation.kernelActivation, y, width)
            case .softCap(let cap): kernels.soft_cap(y, cap, width)
            }
        }
    }

    /// How many panels of a range the kernel can take from the rows of the matrix: whole ones, if there are few rows of
    /// activations and nothing is to be converted.
    private func rawPanels(_ range: Range<Int>, _ kernels: apus_kernels) -> Int {
        guard task.rows <= kernels.raw_rows, weight.source.format == weight.format, weight.source.view == nil,
            weight.source.codes == nil,
            task.type == APUS_F32 || task.type == APUS_BF16, task.inputs % Self.rawInputs == 0
        else { return 0 }
        let whole = min(range.upperBound, task.outputs / CPUWeight.panel) - range.lowerBound
        return max(whole, 0)
    }

    /// Inputs that panels are padded to a multiple of.
    private static let rawInputs = 32

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
        Self.scratchByteCount(kernels, weight.format, inputs: task.inputs, isUnprepared: panels == nil)
    }

    static func scratchByteCount(
        _ kernels: apus_kernels, _ format: WeightFormat, inputs: Int, isUnprepared: Bool
    ) -> Int {
        let own = kernels.linear_scratch(format.kernelType, inputs).roundedUp(to: 64)
        return isUnprepared ? own + packedTogether * format.panelByteCount(inputs: inputs) : own
    }

    /// Panels that are packed into scratch before they are multiplied: as many as a kernel takes together.
    private static let packedTogether = 4
}

extension Int {
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
