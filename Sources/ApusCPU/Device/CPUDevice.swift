package import ApusCompute
import CApusKernels
import Synchronization

/// A set of cores with its own thread team. Its operations finish before they return; callers must not rely on that.
package final class CPUDevice: Device {
    package let id: DeviceID
    package let memory: AllocationCounter
    package var answersLater: Bool { false }
    package let instructionSet: InstructionSet
    package var threads: Int { team.count }

    let team: ThreadTeam
    let sizes: CPUWorkspace
    nonisolated(unsafe) let kernels: apus_kernels
    let panelMemory: PanelMemory
    /// Whether tables lie in the device's own memory rather than in the mapped checkpoint.
    let holdsTables: Bool
    /// Whether slots, positions and block tables are looked at before kernels follow them.
    let checksIndices: Bool
    /// Most bytes of the states of attention at a time.
    let attentionStateLimit: Int
    /// Where the inputs of products are summed up, for the rounding of their weights.
    let moments: InputMoments?
    /// Packed activations and per-thread scratch, kept between operations, and the right to run one.
    let workspace = Mutex(Workspace())

    /// Made when weights are streamed.
    let readAhead = Mutex<ReadAhead?>(nil)

    struct Workspace: ~Copyable {
        var packed: CPUMemory?
        var scratch: CPUMemory?
        var attention = AttentionPlan()
        var experts = ExpertPlan()
        var expertRows: CPUMemory?
    }

    /// Throws `ComputeError` (`.unsupported`) if the machine lacks the instruction set.
    ///
    /// - Parameters:
    ///   - threads: by default as many as can run at once. Fewer if the system refuses some.
    ///   - instructionSet: by default `InstructionSet.selected()`.
    ///   - cores: those that the device's threads run on; any that the process may use if `nil`.
    ///   - budget: most bytes that the device hands out. With one, tables count too, and lie in the device's memory.
    ///   - panelBudget: most bytes for weights in the layout of the kernels. Weights beyond it are packed at every use,
    ///     which is slow for few tokens. Changes no result.
    ///   - sharedWeights: a memory file that the processes of a job have in common, to prepare weights once for all.
    ///   - sharedOffset: where in that file the device's weights begin.
    ///   - attentionStateLimit: most bytes that tiles of attention which threads share keep at a time. Changes no result.
    ///   - checksIndices: whether a wrong slot, position, sequence or block is an error rather than undefined.
    ///   - moments: where the inputs of all products are summed up, which costs time and changes no result.
    package init(
        id: DeviceID = .cpu, threads: Int? = nil, cores: CoreSet? = nil, instructionSet: InstructionSet? = nil,
        budget: Int? = nil, panelBudget: Int = .max, sharedWeights: Int32? = nil, sharedOffset: Int = 0,
        attentionStateLimit: Int = CPUDevice.defaultAttentionStateLimit,
        checksIndices: Bool = CPUDevice.checksIndicesByDefault, moments: InputMoments? = nil
    ) throws(ComputeError) {
        let instructionSet = if let instructionSet { instructionSet } else { try InstructionSet.selected() }
        let kernels = try instructionSet.requireKernels()
        self.id = id
        memory = AllocationCounter(id, budget: budget ?? .max)
        holdsTables = budget != nil
        panelMemory = PanelMemory(
            sharedFile: sharedWeights, offset: sharedOffset, budget: panelBudget, counter: memory)
        self.instructionSet = instructionSet
        self.attentionStateLimit = attentionStateLimit
        self.checksIndices = checksIndices
        self.moments = moments
        self.kernels = kernels
        let team = ThreadTeam(count: threads ?? cores?.count ?? ProcessorCount.available, cores: cores)
        self.team = team
        sizes = CPUWorkspace(kernels, threads: team.count, attentionStateLimit: attentionStateLimit)
    }

    deinit { team.stop() }

    package static let defaultAttentionStateLimit = 64 << 20

    #if DEBUG
        package static let checksIndicesByDefault = true
    #else
        package static let checksIndicesByDefault = false
    #endif

    package var unpreparedByteCount: Int { panelMemory.unplacedByteCount }

    // MARK: Memory

    package func allocate(byteCount: Int, isSparse: Bool) throws(ComputeError) -> any DeviceMemory {
        try CPUMemory(byteCount: byteCount, isSparse: isSparse, of: memory)
    }

    package func makeHostBlock(_ label: String, byteCount: Int) throws(ComputeError) -> HostBlock {
        try HostBlock(mapping: byteCount, label)
    }

    package func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws(ComputeError) {
        guard bytes.count == tensor.byteCount else {
            throw .mismatch("\(bytes.count) bytes for a tensor of \(tensor.byteCount)")
        }
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        try pointer(tensor).copyMemory(from: source, byteCount: bytes.count)
    }

    package func download(_ tensor: Tensor, to bytes: UnsafeMutableRawBufferPointer) throws(ComputeError) {
        guard bytes.count == tensor.byteCount else {
            throw .mismatch("\(bytes.count) bytes for a tensor of \(tensor.byteCount)")
        }
        guard let target = bytes.baseAddress, !bytes.isEmpty else { return }
        try target.copyMemory(from: pointer(tensor), byteCount: bytes.count)
    }

    package func synchronize() {}

    // MARK: Copies and moments of a step

    package func copyIn(_ block: HostBlock, byteCount: Int, to tensor: Tensor) throws(ComputeError) {
        guard byteCount <= tensor.byteCount else {
            throw .mismatch("\(byteCount) bytes for a tensor of \(tensor.byteCount)")
        }
        guard byteCount > 0, let source = try block.bytes(byteCount).baseAddress else { return }
        try pointer(tensor).copyMemory(from: source, byteCount: byteCount)
    }

    package func copyOut(_ tensor: Tensor, to block: HostBlock, at offset: Int) throws(ComputeError) {
        try download(tensor, to: block.bytes(tensor.byteCount, at: offset))
    }

    package func record() -> any DeviceEvent { PastEvent.shared }

    package func wait(for event: any DeviceEvent) throws(ComputeError) { try event.wait() }

    // MARK: Pointers

    func pointer(_ tensor: Tensor) throws(ComputeError) -> UnsafeMutableRawPointer {
        guard let memory = tensor.memory as? CPUMemory, memory.counter === self.memory else {
            throw .mismatch("a tensor of another device on \(id)")
        }
        return memory.pointer + tensor.byteOffset
    }

    func floats(_ tensor: Tensor) throws(ComputeError) -> UnsafeMutablePointer<Float> {
        guard tensor.dtype == .float32 else { throw .mismatch("a \(tensor.dtype) tensor where float32 is due") }
        return try pointer(tensor).assumingMemoryBound(to: Float.self)
    }

    func integers(_ tensor: Tensor) throws(ComputeError) -> UnsafeMutablePointer<Int32> {
        guard tensor.dtype == .int32 else { throw .mismatch("a \(tensor.dtype) tensor where int32 is due") }
        return try pointer(tensor).assumingMemoryBound(to: Int32.self)
    }

    func weight(_ weight: any PreparedWeight) throws(ComputeError) -> CPUWeight {
        guard let weight = weight as? CPUWeight else { throw .mismatch("a weight of another device on \(id)") }
        return weight
    }

    /// Throws unless a tensor has the shape that an operation needs.
    func check(_ tensor: Tensor, is dimensions: [Int], _ role: StaticString) throws(ComputeError) {
        guard tensor.shape.dimensions == dimensions else {
            throw .mismatch("\(role) of shape \(tensor.shape) where \(dimensions) is due")
        }
    }
}
