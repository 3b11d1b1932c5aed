package enum Activation: String, Sendable, Hashable {
    case silu
    case gelu
    case geluTanh
    case relu
    case reluSquared
    /// x · sigmoid(1.702 · x)
    case quickGelu
    case sigmoid
    /// Of gpt-oss, only beside another product: gate · sigmoid(1.702 · gate) · (up + 1), with the gate at most 7 and the other
    /// from -7 to 7.
    case clampedSwiGLU
}

/// A matrix in its device's layout, with its bias if it has one.
package struct Projection: Sendable {
    package let weight: any PreparedWeight
    /// float32 [outputs]
    package let bias: Tensor?

    package init(_ weight: any PreparedWeight, bias: Tensor? = nil) {
        self.weight = weight
        self.bias = bias
    }

    package func into(_ result: Tensor, scale: Float = 1, then epilogue: Product.Epilogue? = nil) -> Product {
        Product(self, into: result, scale: scale, then: epilogue)
    }

    package func added(to result: Tensor, scale: Float = 1) -> Product {
        Product(self, into: result, accumulates: true, scale: scale)
    }
}

/// One of several products with the same input.
package struct Product: Sendable {
    /// What is done to each element of a result.
    package enum Epilogue: Sendable, Equatable {
        case activation(Activation)
        /// x = cap · tanh(x / cap)
        case softCap(Float)
    }

    package let projection: Projection
    /// float32 [tokens, outputs]
    package let result: Tensor
    /// Whether the product is added to what the result holds. Then nothing else is done to it.
    package let accumulates: Bool
    /// What the product, with its bias, is multiplied with.
    package let scale: Float
    package let epilogue: Epilogue?

    package init(
        _ projection: Projection, into result: Tensor, accumulates: Bool = false, scale: Float = 1,
        then epilogue: Epilogue? = nil
    ) {
        self.projection = projection
        self.result = result
        self.accumulates = accumulates
        self.scale = scale
        self.epilogue = epilogue
    }
}
