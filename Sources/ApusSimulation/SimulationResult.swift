package import ApusJSON
import ApusRuns

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
        let members: KeyValuePairs = [
            "seconds": seconds, "ideal_seconds": idealSeconds, "efficiency": efficiency, "tail_seconds": tailSeconds,
            "coordinator_share": coordinatorShare, "coordinator_microseconds_per_result": microsecondsPerResult,
        ]
        return JSONObject(members.map { JSONObject.Member(key: $0.key, value: RunRecord.number($0.value)) })
    }
}
