/// Copies of this command that a launcher started side by side, and that know nothing of each other: each would run every
/// prompt, and all but one would have done so for nothing.
enum StrayCopies {
    /// How many a launcher says it has started.
    private static let counts = ["WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]

    /// What to say of them; `nil` if this process is alone.
    static func complaint(_ environment: [String: String]) -> String? {
        for name in counts {
            guard let count = environment[name].flatMap({ Int($0) }), count > 1 else { continue }
            return
                "a launcher started \(count) copies of this command (\(name)=\(count)), and each would run every prompt: "
                + "start one with -n \(count), or give each its --shard"
        }
        return nil
    }
}
