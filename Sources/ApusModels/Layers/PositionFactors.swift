#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a model multiplies heads with by their positions.
struct PositionFactors: Sendable {
    let rotaries: [RotaryAngles]
    let queryScaling: QueryScaling?

    init(_ spec: DecoderSpec) {
        rotaries = spec.rotaries.map(RotaryAngles.init)
        queryScaling = spec.queryScaling
    }
}

extension QueryScaling {
    func factor(_ position: Int) -> Float { 1 + Float(beta) * logf(1 + Float(position / length)) }
}
