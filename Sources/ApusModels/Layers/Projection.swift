import ApusCompute

/// A matrix in its device's layout, with its bias if it has one.
struct Projection: Sendable {
    let weight: any PreparedWeight
    let bias: Tensor?

    func callAsFunction(_ x: Tensor, into y: Tensor, on device: any Device) throws {
        try device.linear(x, weight, bias: bias, into: y)
    }
}
