import Apus
package import ApusCPU
package import ApusJSON
import ApusModels
import ApusRuns

/// Everything a run measured, as JSON: enough to draw every plot and to check every figure again.
package struct BenchReport {
    package let model: BenchModel
    package let instructionSet: InstructionSet
    private let settings: JSONObject
    /// Of the program.
    private let version: String
    private let commit: String
    package var runs: [BenchMeasurement] = []
    /// Runs of solos, one measurement for each combination, and the lengths of their contexts.
    package var contexts: [BenchMeasurement] = []
    package let contextLengths: [Int]
    package var kernels: [KernelBenchmark.Result] = []

    package init(
        model: BenchModel, settings: JSONObject, instructionSet: InstructionSet, contextLengths: [Int],
        version: String, commit: String
    ) {
        self.model = model
        self.settings = settings
        self.instructionSet = instructionSet
        self.contextLengths = contextLengths
        self.version = version
        self.commit = commit
    }

    package var json: JSONValue {
        var object: JSONObject = [
            "apus": .string(version), "commit": .string(commit),
            "machine": .object(machine), "model": .object(modelFacts), "settings": .object(settings),
        ]
        // What the prompts repeat, for whoever wants to give others the same.
        object.append(
            "prompt_token_ids",
            .array(model.prompts(BenchPrompts.openings.count).map { .array($0.map { .integer($0) }) }))
        if !runs.isEmpty { object.append("runs", .array(runs.map { .object(facts($0)) })) }
        if !contexts.isEmpty { object.append("contexts", .array(contexts.flatMap(contextFacts))) }
        if !kernels.isEmpty { object.append("kernels", .array(kernels.map { .object(facts($0)) })) }
        return .object(object)
    }

    private var machine: JSONObject {
        let host = HostDescription.current
        return [
            "cpu": .string(host.processor), "cores": .integer(host.cores),
            "memory_bytes": .integer(MachineMemory.total),
            "platform": .string(host.platform), "instruction_set": .string(instructionSet.description),
            "instruction_sets": .array(host.instructionSets.map { .string($0) }),
            "cache_bytes": .integer(MachineLimits.cacheSize),
        ]
    }

    private var modelFacts: JSONObject {
        let spec = model.spec
        return [
            "name": .string(model.name), "parameters_in_products": .number(spec.parametersInProducts),
            "layers": .integer(spec.layers), "hidden_size": .integer(spec.hiddenSize),
            "intermediate_size": .integer(spec.kinds[0].mlp.width), "vocab_size": .integer(spec.vocabularySize),
            "max_positions": .integer(spec.maxPositions),
        ]
    }

    private func combination(_ measurement: BenchMeasurement) -> JSONObject {
        [
            "processes": .integer(measurement.combination.processes),
            "threads": .integer(measurement.combination.threads),
            "batch_size": .integer(measurement.combination.batchSize), "in_flight": .integer(measurement.inFlight),
            "dtype": .string(measurement.dtype.rawValue), "format": .string(measurement.format.description),
            "quantize": measurement.combination.quantization.map { .string($0.rawValue) } ?? .null,
            "kv_cache": measurement.combination.cacheType.map { .string($0.rawValue) } ?? .null,
            "device_map": measurement.combination.devices.deviceMap.map { .string($0) } ?? .null,
            "max_memory": measurement.combination.devices.maxMemory.map { .string($0) } ?? .null,
            "cpu_devices": measurement.combination.devices.cpuDevices.map { .integer($0) } ?? .null,
            "prompts": .integer(measurement.prompts),
        ]
    }

    private func limits(_ measurement: BenchMeasurement) -> JSONObject {
        [
            "weight_bytes_per_step": .number(measurement.limit.weightBytes.rounded6),
            "read_bytes_per_second": .number(measurement.limit.bandwidth.rounded6),
            "peak_operations_per_second": .number(measurement.limit.peak.rounded6),
            "peak_instruction": .string(measurement.instruction),
        ]
    }

    private func facts(_ measurement: BenchMeasurement) -> JSONObject {
        var object = combination(measurement)
        object.append(contentsOf: [
            "tokens_per_second": .number(measurement.tokensPerSecond.rounded6),
            "limit_tokens_per_second": .number(measurement.limitTokensPerSecond.rounded6),
            "share_of_limit": .number(measurement.share.rounded6),
            "load_seconds": .number(measurement.loadSeconds.rounded6),
            "first_token_seconds": .number(measurement.firstTokenSeconds.rounded6),
            "request_first_token_seconds": .number(measurement.requestFirstTokenSeconds.rounded6),
            "decode_step_seconds": [
                "mean": .number(measurement.meanStepSeconds.rounded6),
                "median": .number(measurement.stepSeconds(0.5).rounded6),
                "p95": .number(measurement.stepSeconds(0.95).rounded6),
                "p99": .number(measurement.stepSeconds(0.99).rounded6),
            ],
            "prefill_tokens_per_second": rate(measurement.solo(0)?.prefillTokensPerSecond),
            "prefills": .array(prefills(measurement)),
            "memory_bytes": .number(measurement.memoryBytes),
            "transfers": [
                "kv_bytes": .number(measurement.transferredBytes(.kv)),
                "hidden_bytes": .number(measurement.transferredBytes(.hidden)),
                "choice_bytes": .number(measurement.transferredBytes(.choices)),
            ],
        ])
        object.append(contentsOf: limits(measurement))
        object.append("rounds", .array(measurement.rounds.map { .object(facts($0)) }))
        return object
    }

    private func prefills(_ measurement: BenchMeasurement) -> [JSONValue] {
        measurement.prefills.enumerated().compactMap { index, length in
            guard let solo = measurement.solo(index) else { return nil }
            if let error = solo.error { return ["tokens": .integer(length), "error": .string(error)] }
            return [
                "tokens": .integer(length), "first_token_seconds": .number(solo.firstTokenSeconds.rounded6),
                "tokens_per_second": .number(solo.prefillTokensPerSecond.rounded6),
            ]
        }
    }

    private func facts(_ round: BenchRound) -> JSONObject {
        [
            "tokens": .integer(round.tokens), "seconds": .number(round.seconds.rounded6),
            "tokens_per_second": .number(round.tokensPerSecond.rounded6),
            "load_seconds": .number(round.loadSeconds.rounded6),
            "first_token_seconds": .number(round.firstTokenSeconds.rounded6),
            "prefill_tokens_per_second": rate(round.solos.first?.prefillTokensPerSecond),
            "memory_bytes": .integer(round.memoryBytes),
            "read_bytes_per_second": .number(round.bandwidth.rounded6),
            "peak_operations_per_second": rate(round.peak?.operationsPerSecond),
        ]
    }

    private func contextFacts(_ measurement: BenchMeasurement) -> [JSONValue] {
        contextLengths.indices.compactMap { index in
            guard let solo = measurement.solo(index) else { return nil }
            var object = combination(measurement)
            object.append("context", .integer(contextLengths[index]))
            if let error = solo.error {
                object.append("error", .string(error))
                return .object(object)
            }
            object.append("first_token_seconds", .number(solo.firstTokenSeconds.rounded6))
            object.append("prefill_tokens_per_second", rate(solo.prefillTokensPerSecond))
            object.append("decode_tokens_per_second", rate(solo.decodeTokensPerSecond))
            object.append(
                "limit_tokens_per_second",
                rate(measurement.contextLimit(contextLengths[index], model)))
            object.append(contentsOf: limits(measurement))
            return .object(object)
        }
    }

    private func facts(_ result: KernelBenchmark.Result) -> JSONObject {
        [
            "product": .string(result.product.name), "outputs": .integer(result.product.outputs),
            "inputs": .integer(result.product.inputs), "format": .string(result.format.description),
            "rows": .integer(result.rows), "seconds": .number(result.seconds.rounded6),
            "operations_per_second": .number(result.operationsPerSecond.rounded6),
            "weight_bytes_per_second": .number(result.bytesPerSecond.rounded6),
            "share_of_limit": .number(result.share.rounded6),
        ]
    }

    private func rate(_ value: Double?) -> JSONValue { value.map { .number($0.rounded6) } ?? .null }
}

extension BenchMeasurement {
    /// Tokens a second that the machine allows one sequence of some length in each process.
    package func contextLimit(_ length: Int, _ model: BenchModel) -> Double {
        limit.tokensPerSecond(
            batch: 1, stateBytes: model.stateBytes(length: length, combination.cacheType ?? dtype))
    }
}

extension JSONObject {
    fileprivate mutating func append(contentsOf other: JSONObject) {
        for member in other { append(member.key, member.value) }
    }
}
