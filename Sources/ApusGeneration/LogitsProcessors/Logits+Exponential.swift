#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

func exponential(_ value: Float) -> Float { exp(value) }
func exponential(_ value: Double) -> Double { exp(value) }
func logarithm(_ value: Double) -> Double { log(value) }

extension MutableSpan<Float> {
    /// The largest element, `nil` if there is none or one is not a number.
    var largest: Float? { span.largest }
}

extension Span<Float> {
    /// The largest element, `nil` if there is none or one is not a number.
    var largest: Float? {
        var largest = -Float.infinity
        var hasNaN = isEmpty
        for index in indices {
            let value = self[index]
            largest = value > largest ? value : largest
            hasNaN = hasNaN || value.isNaN
        }
        return hasNaN ? nil : largest
    }
}
