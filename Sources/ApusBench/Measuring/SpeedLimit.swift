/// What the machine allows for a model, from what was measured of the machine.
///
/// A step of B sequences reads every weight once and does 2 · B operations for every parameter in a product, so it takes
/// at least max(bytes / bandwidth, 2 · B · parameters / peak). Processes that share a machine share its bandwidth and
/// peak, and each does its own steps, so the limit in tokens a second is that of one process with all threads.
package struct SpeedLimit: Sendable {
    /// Parameters in products.
    let parameters: Double
    /// Bytes of the weights in products.
    let weightBytes: Double
    /// Bytes a second.
    package let bandwidth: Double
    /// Operations a second.
    package let peak: Double

    /// - Parameter stateBytes: what each sequence reads beside the weights, such as its keys and values.
    func tokensPerSecond(batch: Int, stateBytes: Double = 0) -> Double {
        let rows = Double(batch)
        let reading = (weightBytes + rows * stateBytes) / max(bandwidth, 1)
        let computing = 2 * rows * parameters / max(peak, 1)
        return rows / max(reading, computing, 1e-12)
    }

    /// Tokens a second of prompts long enough to be bound by arithmetic alone.
    var prefillTokensPerSecond: Double { peak / max(2 * parameters, 1) }
}
