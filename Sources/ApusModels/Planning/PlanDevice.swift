package import ApusCompute

/// A device as a plan sees it: there or only imagined.
package struct PlanDevice: Sendable {
    package var id: DeviceID
    /// Most bytes that the model may take of it.
    package var budget: Int
    /// How much it computes at a time, beside the others.
    package var speed: Double
    /// Whether steps are asked for before those before them are done.
    package var answersLater: Bool
    /// Bytes that its operations take beside their tensors.
    package var workspace: @Sendable (WorkspaceDemand) -> Int

    package init(
        id: DeviceID, budget: Int, speed: Double = 1, answersLater: Bool = true,
        workspace: @escaping @Sendable (WorkspaceDemand) -> Int
    ) {
        self.id = id
        self.budget = budget
        self.speed = speed
        self.answersLater = answersLater
        self.workspace = workspace
    }
}

/// What a device holds, in bytes.
package struct PlanLoad: Sendable, Equatable {
    package var weights: Int128 = 0
    package var kv: Int128 = 0
    package var activations: Int128 = 0
    package var workspace: Int128 = 0

    package init() {}

    package var total: Int128 { weights + kv + activations + workspace }
}
