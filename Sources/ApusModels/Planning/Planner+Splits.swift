package import ApusCompute

/// Ways to cut a model's parts between devices, each of which gets neighbouring ones, in the order of the devices. Where a
/// cut exists that fits, each of these finds one.
extension Planner {
    package func place(_ rule: DeviceMap.Rule, hasBudgets: Bool) -> Placement? {
        guard let accelerators else { return resident(rule, hasBudgets: hasBudgets) ?? tied() ?? spilled() }
        if let placement = accelerators.resident(rule, hasBudgets: hasBudgets) ?? accelerators.tied(), fits(placement) {
            return placement
        }
        return resident(.sequential, hasBudgets: hasBudgets) ?? tied() ?? spilled()
    }

    /// The same with the devices before a processor that comes last, which is there for what has no room on them.
    private var accelerators: Planner? {
        let some = devices.prefix { $0.id.kind != DeviceID.cpu.kind }
        guard !some.isEmpty, some.count < devices.count,
            devices[some.count...].allSatisfy({ $0.id.kind == DeviceID.cpu.kind })
        else { return nil }
        return Planner(model, devices: Array(some), limits: limits)
    }

    /// Whether there is a placement. A cut that fits is found by giving each device as much as it can hold.
    package var hasPlacement: Bool {
        if isFilled(fits) || tied() != nil { return true }
        guard let disk else { return false }
        let all = (0..<model.partCount).reduce(Int128(0)) { $0 + model.matrices($1) }
        if Int128(disk) >= all, isFilled({ deficit(of: $0, $1) != nil }) { return true }
        return spilled() != nil
    }

    /// Whether all parts are gone once each device has got as many as something holds for.
    private func isFilled(_ holds: (_ device: Int, _ parts: Range<Int>) -> Bool) -> Bool {
        var first = 0
        for device in devices.indices {
            var last = first
            while last < model.partCount, holds(device, first..<last + 1) { last += 1 }
            while last < model.partCount, last > first, !model.mayBegin(with: last) { last -= 1 }
            first = last
        }
        return first == model.partCount
    }

    private func resident(_ rule: DeviceMap.Rule, hasBudgets: Bool) -> Placement? {
        switch rule {
        case .sequential: return placement(sequential())
        case .balancedLow0: return placement(lowFirst())
        case .balanced: return placement(split(share))
        case .auto: return placement(split(hasBudgets ? share : time))
        }
    }

    // MARK: Cuts

    /// What a device's share costs; `nil` if it does not fit.
    typealias Cost = (_ device: Int, _ parts: Range<Int>) -> Double?

    /// The largest share of a budget that is taken.
    private func share(_ device: Int, _ parts: Range<Int>) -> Double? {
        let total = load(of: device, parts).total
        let budget = devices[device].budget
        guard parts.isEmpty || model.mayBegin(with: parts.lowerBound) else { return nil }
        return total <= Int128(budget) ? total == 0 ? 0 : Double(total) / Double(budget) : nil
    }

    /// How long a step takes there.
    private func time(_ device: Int, _ parts: Range<Int>) -> Double? {
        guard fits(device, parts) else { return nil }
        return (timeSums[parts.upperBound] - timeSums[parts.lowerBound]) / devices[device].speed
    }

    /// Where each device's parts begin and end, so that all costs together are least: by default the largest of them. Of
    /// equals, that with the fewest devices.
    private func split(
        _ cost: Cost, from start: Int = 0, until last: Int? = nil, devices some: Range<Int>? = nil,
        together: (Double, Double) -> Double = { max($0, $1) }
    ) -> [Range<Int>]? {
        let some = some ?? devices.indices
        let end = last ?? model.partCount
        struct Best {
            var cost: Double
            var used: Int
            var from: Int
        }
        // best[p]: the devices so far have the parts up to p.
        var rows: [[Best?]] = [[Best?](repeating: nil, count: end + 1)]
        rows[0][start] = Best(cost: 0, used: 0, from: start)
        for device in some {
            // Without anything new, a device has nothing.
            let before = rows[rows.count - 1]
            var row = before.map { best in best.map { Best(cost: $0.cost, used: $0.used, from: -1) } }
            for part in start...end where row[part] != nil { row[part]?.from = part }
            for first in start..<end {
                guard let best = before[first] else { continue }
                for last in first + 1...end {
                    // A device that has more parts costs more.
                    guard let own = cost(device, first..<last) else { break }
                    let new = Best(cost: together(best.cost, own), used: best.used + 1, from: first)
                    if let old = row[last], (old.cost, old.used) <= (new.cost, new.used) { continue }
                    row[last] = new
                }
            }
            rows.append(row)
        }
        guard rows[rows.count - 1][end] != nil else { return nil }
        var ranges: [Range<Int>] = []
        var last = end
        for row in rows.dropFirst().reversed() {
            let first = row[last]?.from ?? last
            ranges.append(first..<last)
            last = first
        }
        let empty = [Range<Int>](repeating: 0..<0, count: some.lowerBound)
        return empty + ranges.reversed()
    }

    /// As many parts on each device as fit there and leave a way for the rest.
    private func sequential() -> [Range<Int>]? {
        let end = model.partCount
        // open[d][p]: parts from p on fit on devices from d on.
        var open = [[Bool]](repeating: [Bool](repeating: false, count: end + 1), count: devices.count + 1)
        open[devices.count][end] = true
        for device in devices.indices.reversed() {
            for first in 0...end {
                open[device][first] = (first...end).contains { open[device + 1][$0] && fits(device, first..<$0) }
            }
        }
        guard open[0][0] else { return nil }
        var first = 0
        return devices.indices.map { device in
            let last = (first...end).last { open[device + 1][$0] && fits(device, first..<$0) } ?? first
            defer { first = last }
            return first..<last
        }
    }

    /// The least on the first device, the rest balanced.
    private func lowFirst() -> [Range<Int>]? {
        guard devices.count > 1 else { return split(share) }
        for count in 0...model.partCount where fits(0, 0..<count) {
            guard count < model.partCount else { return [0..<count] }
            if var rest = split(share, from: count, devices: 1..<devices.count) {
                rest[0] = 0..<count
                return rest
            }
        }
        return nil
    }

    func placement(_ ranges: [Range<Int>]?) -> Placement? {
        guard let ranges else { return nil }
        return Placement(devices: zip(devices, ranges).flatMap { device, parts in parts.map { _ in device.id } })
    }

    // MARK: Tied weights

    /// Table and head together, on the first device that has anything: one matrix for both, where two do not fit.
    private func tied() -> Placement? {
        guard model.sharesTable, devices.count > 1 else { return nil }
        let head = model.spec.layers + 1
        var best: (share: Double, placement: Placement)?
        for first in devices.indices {
            let cost: Cost = { $0 == first ? loadWithEnds($0, layers: $1) : share($0, $1) }
            guard loadWithEnds(first, layers: 1..<1) != nil,
                let ranges = split(cost, from: 1, until: head, devices: first..<devices.count)
            else { continue }
            let layers = zip(devices, ranges).flatMap { device, parts in parts.map { _ in device.id } }
            let placement = Placement(devices: [devices[first].id] + layers + [devices[first].id])
            guard fits(placement) else { continue }
            let largest = zip(loads(placement), devices).map { Double($0.total) / Double(max($1.budget, 1)) }.max() ?? 0
            if best.map({ largest < $0.share }) ?? true { best = (largest, placement) }
        }
        return best?.placement
    }

    /// The share of a budget that some layers take together with table and head.
    private func loadWithEnds(_ device: Int, layers: Range<Int>) -> Double? {
        let head = model.spec.layers + 1
        var load = load(of: device, layers)
        let ends = Self.fixed(
            devices[device], Content(hasTable: true, hasLayers: !layers.isEmpty, hasHead: true), model,
            limits, lanes: devices.count)
        (load.activations, load.workspace) = (ends.activations, ends.workspace)
        load.weights += model.matrices(head) + model.vectors(head) + model.inputBesideTable
        let budget = devices[device].budget
        return load.total <= Int128(budget) ? Double(load.total) / Double(budget) : nil
    }

    // MARK: What does not fit

    /// As little as possible read from the checkpoint, if that is allowed: of a cut, or with tied weights together.
    private func spilled() -> Placement? {
        guard let disk else { return nil }
        let cut = placement(split({ deficit(of: $0, $1).map { Double($0) } }, together: +))
        let candidates = ([cut] + (model.sharesTable ? devices.indices.map(spilledTied) : [])).compactMap(\.self)
        let spilled = candidates.compactMap(spill).filter { streamedByteCount($0) <= Int128(disk) }
        return spilled.min { read(by: $0) < read(by: $1) }
    }

    /// Table and head on one device, the layers on it and on those behind it, with the least that cannot be kept.
    private func spilledTied(on first: Int) -> Placement? {
        let head = model.spec.layers + 1
        let cost: Cost = { device, layers in
            (device == first ? deficitWithEnds(of: device, layers: layers) : deficit(of: device, layers)).map {
                Double($0)
            }
        }
        guard deficitWithEnds(of: first, layers: 1..<1) != nil,
            let ranges = split(cost, from: 1, until: head, devices: first..<devices.count, together: +)
        else { return nil }
        let layers = zip(devices, ranges).flatMap { device, parts in parts.map { _ in device.id } }
        return Placement(devices: [devices[first].id] + layers + [devices[first].id])
    }

    /// Bytes that every step reads: not those of a table.
    private func read(by placement: Placement) -> Int128 {
        placement.streamed.reduce(0) { $0 + ($1 == 0 ? 0 : model.matrices($1)) }
    }

    /// The placement with what its devices cannot keep on the disk; `nil` if that does not do.
    private func spill(_ placement: Placement) -> Placement? {
        var result = placement
        for (device, load) in zip(devices.indices, loads(placement)) where load.total > Int128(devices[device].budget) {
            let parts = placement.devices.indices.filter { placement.devices[$0] == devices[device].id }
            guard let streamed = spill(device, parts, placement) else { return nil }
            result.streamed.formUnion(streamed)
        }
        return fits(result) ? result : nil
    }

    /// What of a device's parts is not kept: the table, and as few bytes as may be of the rest; layers at even distances, so
    /// that each can be read while others are computed.
    private func spill(_ device: Int, _ parts: [Int], _ placement: Placement) -> Set<Int>? {
        let head = model.spec.layers + 1
        // What begins on a later device has to be there: a part on disk runs where the part before it does.
        let kept = device > 0 ? parts.first : nil
        let layers = parts.filter { (1..<head).contains($0) && $0 != kept }
        func fitsWith(_ streamed: Set<Int>) -> Bool {
            var trial = placement
            trial.streamed.formUnion(streamed)
            return loads(trial)[device].total <= Int128(devices[device].budget)
        }
        // One matrix for table and head is there for both.
        let isShared = model.sharesTable && parts.contains(0) && parts.contains(head)
        let table: Set<Int> = parts.contains(0) && kept != 0 && !isShared ? [0] : []
        let whole: Set<Int> = parts.contains(0) && kept != 0 ? [0, head] : [head]
        let ends: [Set<Int>] = parts.contains(head) && kept != head ? [table, whole] : [table]
        var best: (bytes: Int128, streamed: Set<Int>)?
        for end in ends {
            for count in 0...layers.count {
                let some = (0..<count).map { layers[(2 * $0 + 1) * layers.count / (2 * max(count, 1))] }
                let streamed = end.union(some)
                guard !streamed.isEmpty, fitsWith(streamed) else { continue }
                let bytes = streamed.reduce(Int128(0)) { $0 + ($1 == 0 ? 0 : model.matrices($1)) }
                if best.map({ bytes < $0.bytes }) ?? true { best = (bytes, streamed) }
                break
            }
        }
        return best?.streamed
    }
}
