import CApusProcess

/// Files that lie in memory alone, so that other processes can map what this one made.
package enum MemoryFile {
    /// A descriptor of a file of zeros, closed on exec. No file system's quota counts it, and it ends with the last
    /// process that has it open or mapped. Throws `DistributedError` (`.launch`) where the system has no such files or no
    /// room.
    package static func make(name: String, byteCount: Int) throws(DistributedError) -> Int32 {
        var descriptor: Int32 = -1
        let error = apus_memory_file(name, max(byteCount, 0), &descriptor)
        guard error == 0 else {
            throw .launch("no file of \(byteCount) bytes in memory: \(Platform.describe(error))")
        }
        return descriptor
    }
}
