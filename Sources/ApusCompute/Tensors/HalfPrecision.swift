/// The two 16-bit formats as bit patterns; rounding is to nearest, ties to even. Swift has no Float16 on an Intel Mac, so
/// that format is taken apart by hand (IEEE 754-2019 section 3.6). The kernels' half.h gives the same bits.
package enum HalfPrecision {
    package static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }

    package static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    package static func float16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.magnitude
        if value.isNaN { return sign | 0x7E00 }
        if magnitude >= 65520 { return sign | 0x7C00 }
        // Adding a half leaves the steps of 2^-24 of a subnormal in the low bits, rounded as they should be.
        if magnitude < 0x1p-14 { return sign | UInt16(truncatingIfNeeded: (magnitude + 0.5).bitPattern &- 0x3F00_0000) }
        let bits = magnitude.bitPattern
        return sign | UInt16(truncatingIfNeeded: (bits &- 0x3800_0000 &+ 0xFFF &+ (bits >> 13 & 1)) >> 13)
    }

    package static func float(float16 bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0: return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}

extension DType {
    /// A number as near as the type comes to it.
    package func rounded(_ value: Float) -> Float {
        switch self {
        case .bfloat16: HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(value))
        case .float16: HalfPrecision.float(float16: HalfPrecision.float16(value))
        default: value
        }
    }
}
