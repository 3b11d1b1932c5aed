package import ApusJSON

extension RunRecord {
    /// New tokens of results by the time of the run, loading the model included.
    package var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }

    /// What `--summary` writes: one object, its keys always all there and in this order. Times are seconds since the start.
    ///
    /// A program that reads it may count on the keys; new ones may come at the end.
    package var summary: JSONObject {
        [
            "version": .string(version),
            "instruction_set": .string(instructionSet),
            "model": .string(model),
            "input": .string(input),
            "output": output.map { .string($0) } ?? .null,
            "started_at": .string(startedAt),
            "ending": .string(ending.rawValue),
            "exit_code": .integer(exitCode),
            "failure": failure.map { .string($0) } ?? .null,
            "seconds": Self.number(seconds),
            "first_dispatch_seconds": firstDispatchSeconds.map(Self.number) ?? .null,
            "first_result_seconds": firstResultSeconds.map(Self.number) ?? .null,
            "tail_seconds": Self.number(tailSeconds),
            "prompts": prompts.map { .integer($0) } ?? .null,
            "finished": .integer(finished),
            "resumed": .integer(resumed),
            "errors": .integer(errors),
            "tokens": .integer(tokens),
            "prompt_tokens": .integer(promptTokens),
            "tokens_per_second": Self.number(tokensPerSecond),
            "step_time": .object(stepTime.summary),
            "ranks": .array(ranks.map { .object($0.summary(of: seconds)) }),
            "events": .array(events.map { .object($0.summary) }),
            "samples": .array(samples.map { .object($0.summary) }),
        ]
    }

    /// The summary as a file: a member a line, and each rank, event and sample on a line of its own.
    package var summaryText: String {
        let lines = summary.map { member in
            guard let elements = member.value.array else { return member }
            let short = JSONValue.array(elements.map { .verbatim($0.serialized) })
            return JSONObject.Member(key: member.key, value: short)
        }
        return JSONValue.object(JSONObject(lines)).indented + "\n"
    }

    /// To a microsecond: the rest is noise.
    package static func number(_ value: Double) -> JSONValue {
        guard value.isFinite, value.magnitude < 1e9 else { return .number(value) }
        return .number((value * 1e6).rounded() / 1e6)
    }
}

extension RunRecord.Rank {
    fileprivate func summary(of seconds: Double) -> JSONObject {
        [
            "rank": .integer(rank),
            "state": .string(state.rawValue),
            "prompts": .integer(prompts),
            "tokens": .integer(tokens),
            "tokens_per_second": RunRecord.number(seconds > 0 ? Double(tokens) / seconds : 0),
            "in_flight": .integer(inFlight),
            "restarts": .integer(restarts),
            "steps": .integer(steps),
            "step_seconds": RunRecord.number(stepSeconds),
            "longest_step_seconds": RunRecord.number(longestStepSeconds),
            "last_busy_seconds": RunRecord.number(lastBusySeconds),
        ]
    }
}

extension RunRecord.Event {
    fileprivate var summary: JSONObject {
        [
            "seconds": RunRecord.number(seconds), "rank": .integer(rank), "kind": .string(kind),
            "message": .string(message),
        ]
    }
}

extension RunRecord.Sample {
    fileprivate var summary: JSONObject {
        [
            "seconds": RunRecord.number(seconds), "prompts": .integer(prompts),
            "tokens": .array(tokens.map { .integer($0) }),
        ]
    }
}

extension RunRecord.StepTime {
    fileprivate var summary: JSONObject {
        [
            "steps": .integer(steps),
            "tokens": RunRecord.number(tokens),
            "seconds": RunRecord.number(seconds),
            "base_milliseconds": RunRecord.number(baseMilliseconds),
            "milliseconds_per_token": RunRecord.number(millisecondsPerToken),
        ]
    }
}
