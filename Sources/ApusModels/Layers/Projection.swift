import ApusCompute

/// A matrix in its device's layout, with its bias if it has one.
struct Projection: Sendable {
    let weight: any PreparedWeight
    let bias: Tensor?

    func into(_ result: Tensor) -> Product { Product(weight, bias: bias, into: result) }

    func added(to result: Tensor) -> Product { Product(weight, bias: bias, into: result, accumulates: true) }
}
