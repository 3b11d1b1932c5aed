package import ApusJSON

/// What became of a simulated run, or of a real one of test workers.
package struct SimulationResult: Sendable {
    package var seconds: Double
    package var idealSeconds: Double
    /// From the moment in which the first worker had nothing to do to the end.
    package var tailSeconds: Double
    /// What the coordinator itself took; of a simulated run, what the queue took.
    package var coordinatorSeconds: Double
    package var results: Int

    package var efficiency: Double { seconds > 0 ? idealSeconds / seconds : 1 }
    package var coordinatorShare: Double { seconds > 0 ? coordinatorSeconds / seconds : 0 }
    package var microsecondsPerResult: Double { coordinatorSeconds * 1e6 / Double(max(results, 1)) }

    package var json: JSONObject {
        func rounded(_ value: Double) -> JSONValue { .number((value * 1e6).rounded() / 1e6) }
        return [
            "seconds": rounded(seconds), "ideal_seconds": rounded(idealSeconds), "efficiency": rounded(efficiency),
            "tail_seconds": rounded(tailSeconds), "coordinator_share": rounded(coordinatorShare),
            "coordinator_microseconds_per_result": rounded(microsecondsPerResult),
        ]
    }
}
