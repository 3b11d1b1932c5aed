/// The two 16-bit formats as bit patterns; rounding is to nearest, ties to even.
package enum HalfPrecision {
    package static func bfloat16(_ value: Float) -> UInt16 {
        if value.isNaN { return UInt16(truncatingIfNeeded: value.bitPattern >> 16) | 0x40 }
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }

    package static func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    // Swift has no Float16 on an Intel Mac, so that format is taken apart by hand (IEEE 754 binary16).
    package static func float16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.magnitude
        if value.isNaN { return sign | 0x7E00 }
        if magnitude >= 65520 { return sign | 0x7C00 }
        // Adding this brings the unit of the last place of binary16 to that of binary32, which rounds as it should.
        let exponent = max(Int(magnitude.exponentOrZero), -14)
        let unit = Float(sign: .plus, exponent: exponent - 10, significand: 1)
        let steps = (magnitude / unit).rounded(.toNearestOrEven)
        let whole = UInt16(steps)
        return sign | (whole < 1024 ? whole : UInt16(exponent + 14) << 10 &+ whole)
    }

    package static func float(float16 bits: UInt16) -> Float {
        let sign: FloatingPointSign = bits & 0x8000 == 0 ? .plus : .minus
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: return Float(sign: sign, exponent: -24, significand: fraction)
        case 31: return fraction == 0 ? Float(sign: sign, exponent: 0, significand: .infinity) : .nan
        default: return Float(sign: sign, exponent: exponent - 25, significand: 1024 + fraction)
        }
    }
}

extension Float {
    fileprivate var exponentOrZero: Int { self == 0 || !isFinite ? -126 : Int(exponent) }
}
