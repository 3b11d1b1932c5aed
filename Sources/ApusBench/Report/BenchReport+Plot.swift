import Apus
import ApusModels
import ApusRuns

extension BenchReport {
    /// The plots that the measurements can fill, as a page: those over what was varied.
    package var svg: String { plot.text }

    private var plot: SVGPlot {
        var charts: [SVGPlot.Chart] = []
        if varied(\.combination.processes) { charts.append(scaling) }
        if varied(\.combination.batchSize) { charts += [share, rates] }
        if contextLengths.count > 1, !contexts.isEmpty { charts += [contextDecode, contextPrefill] }
        if charts.isEmpty, !runs.isEmpty { charts.append(share) }
        let machine = HostDescription.current
        return SVGPlot(
            title: "apus bench: \(model.name)",
            remark: "\(machine.processor), \(machine.cores) cores, \(instructionSet); "
                + "\(model.writtenParameterCount) parameters in products",
            charts: charts)
    }

    private func varied(_ key: KeyPath<BenchMeasurement, Int>) -> Bool { Set(runs.map { $0[keyPath: key] }).count > 1 }

    /// The measurements of one line: all that differ in nothing but what the chart is over.
    private func lines(
        of measurements: [BenchMeasurement], over x: (BenchMeasurement) -> Int, named: (BenchMeasurement) -> String,
        _ y: (BenchMeasurement) -> Double
    ) -> [SVGPlot.Line] {
        var lines: [SVGPlot.Line] = []
        for measurement in measurements {
            let name = named(measurement)
            let index = lines.firstIndex { $0.name == name } ?? lines.count
            if index == lines.count { lines.append(SVGPlot.Line(name: name, points: [])) }
            lines[index].points.append((Double(x(measurement)), y(measurement)))
        }
        return lines.map { line in
            SVGPlot.Line(name: line.name, points: line.points.sorted { $0.x < $1.x })
        }
    }

    /// What tells lines apart: only what was varied, and the type.
    private func name(_ measurement: BenchMeasurement, processes: Bool = false, batch: Bool = false) -> String {
        var parts: [String] = []
        let combination = measurement.combination
        if processes, varied(\.combination.processes) { parts.append("\(combination.processes) proc.") }
        if varied(\.combination.threads) {
            parts.append("\(combination.threads) thread\(combination.threads == 1 ? "" : "s")")
        }
        if batch, varied(\.combination.batchSize) { parts.append("batch \(combination.batchSize)") }
        if parts.isEmpty || Set(runs.map(\.format)).count > 1 { parts.append(measurement.format.description) }
        return parts.joined(separator: ", ")
    }

    private var scaling: SVGPlot.Chart {
        var lines = lines(of: runs, over: \.combination.processes, named: { name($0, batch: true) }, \.tokensPerSecond)
        let ideals = lines.compactMap { line -> SVGPlot.Line? in
            guard let first = line.points.first, line.points.count > 1 else { return nil }
            return SVGPlot.Line(
                name: "", points: line.points.map { ($0.x, first.y * $0.x / first.x) }, isReference: true)
        }
        lines += ideals
        return SVGPlot.Chart(
            title: "Scaling over processes", xTitle: "processes (dashed: as many times the first)",
            yTitle: "tokens/s of all processes", lines: lines, isLinear: true)
    }

    private var share: SVGPlot.Chart {
        SVGPlot.Chart(
            title: "Share of the limit",
            xTitle: "batch: sequences in flight in a process",
            yTitle: "tokens/s over what bandwidth and peak allow",
            lines: lines(of: runs, over: \.inFlight, named: { name($0, processes: true) }, \.share), isPercent: true)
    }

    private var rates: SVGPlot.Chart {
        let measured = lines(of: runs, over: \.inFlight, named: { name($0, processes: true) }, \.tokensPerSecond)
        return SVGPlot.Chart(
            title: "Throughput", xTitle: "batch: sequences in flight in a process",
            yTitle: "tokens/s of all processes, the prompts' prefill included", lines: measured)
    }

    private func contextLines(_ rate: (BenchMeasurement, Int) -> Double?) -> [SVGPlot.Line] {
        contexts.map { measurement in
            let combination = measurement.combination
            let name = "\(combination.processes) × \(combination.threads), \(measurement.format)"
            let points = contextLengths.indices.compactMap { index in
                rate(measurement, index).map { (x: Double(contextLengths[index]), y: $0) }
            }
            return SVGPlot.Line(name: name, points: points.sorted { $0.x < $1.x })
        }.filter { !$0.points.isEmpty }
    }

    private var contextDecode: SVGPlot.Chart {
        let limits = contextLines { measurement, index in measurement.contextLimit(contextLengths[index], model) }
            .map { SVGPlot.Line(name: "limit", points: $0.points, isReference: true) }
        return SVGPlot.Chart(
            title: "Decode against context", xTitle: "tokens of context", yTitle: "tokens/s of one sequence",
            lines: contextLines { $0.solo($1)?.decodeTokensPerSecond } + limits)
    }

    private var contextPrefill: SVGPlot.Chart {
        SVGPlot.Chart(
            title: "Prefill against length", xTitle: "tokens of the prompt", yTitle: "tokens/s of one prompt",
            lines: contextLines { measurement, index in
                measurement.solo(index).flatMap { $0.error == nil ? $0.prefillTokensPerSecond : nil }
            })
    }
}
