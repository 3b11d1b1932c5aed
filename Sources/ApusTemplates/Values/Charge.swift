/// Bytes of the values that are alive.
final class Meter {
    private(set) var used = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    func take(_ byteCount: Int) throws(TemplateError) {
        guard byteCount <= limit - used else {
            throw TemplateError(.limit, "its values take more than \(limit >> 20) MB")
        }
        used += byteCount
    }

    func giveBack(_ byteCount: Int) { used -= byteCount }
}

/// What one value counts in memory, as long as it lives.
final class Charge {
    private let meter: Meter
    private let byteCount: Int

    init(_ byteCount: Int, to meter: Meter) throws(TemplateError) {
        try meter.take(byteCount)
        self.meter = meter
        self.byteCount = byteCount
    }

    deinit { meter.giveBack(byteCount) }
}
