package import ApusCompute

/// Where a model goes, and what each device will hold of it.
package struct DevicePlan: Sendable {
    package let spec: DecoderSpec
    package let placement: Placement
    package let limits: StepLimits
    package let devices: [PlanDevice]
    /// Of each device.
    package let loads: [PlanLoad]
    /// Bytes that are read from the checkpoint for every use.
    package let streamed: Int128

    package init(_ planner: Planner, _ placement: Placement) {
        spec = planner.model.spec
        self.placement = placement
        limits = planner.limits(placement)
        devices = planner.devices
        loads = planner.loads(placement)
        streamed = planner.streamedByteCount(placement)
    }

    /// Layers that a device holds.
    package func layers(of device: DeviceID) -> [Int] {
        (0..<spec.layers).filter { placement.device(ofLayer: $0) == device && !placement.streamed.contains($0 + 1) }
    }

    package var streamedLayers: [Int] { (0..<spec.layers).filter { placement.streamed.contains($0 + 1) } }

    /// The map of all modules, which asks for the same placement.
    package var deviceMap: [(module: String, device: DeviceID)] { ModuleNames(spec).map(placement) }
}
