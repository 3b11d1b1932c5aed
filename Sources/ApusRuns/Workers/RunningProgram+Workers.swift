package import ApusDistributed

extension RunningProgram {
    /// The file that workers are started from: this program's own.
    package static func pathForWorkers() throws(RunError) -> String {
        guard let path else { throw RunError("cannot find this program's own file to start workers from") }
        return path
    }
}
