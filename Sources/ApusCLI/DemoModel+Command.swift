import Apus
import ApusRuns

extension DemoModel {
    /// What runs where no model is named.
    static func directoryOfCommand() throws(RunError) -> String {
        guard let directory else {
            throw RunError("the demo model is not beside this program; name a checkpoint with --model DIR")
        }
        return directory
    }
}
