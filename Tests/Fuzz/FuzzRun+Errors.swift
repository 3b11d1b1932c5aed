import ApusCheckpoints
import ApusCompute
import ApusGeneration
import ApusModels
import ApusTokenizers

extension FuzzRun {
    static func isExpected(_ error: any Error) -> Bool {
        error is CheckpointError || error is GenerationError || error is TokenizerError || error is ModelError
            || error is ComputeError
    }
}
