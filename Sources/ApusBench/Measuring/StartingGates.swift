import ApusRuns

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Gates that hold all workers until the coordinator opens them, one after the other: locks on files of a private
/// directory. However the coordinator ends, the system takes its locks away, so no worker waits for ever.
final class StartingGates: Sendable {
    let directory: String
    private let descriptors: [Int32]

    /// Makes closed gates. Throws `RunError` if the directory for temporary files cannot be written.
    init(count: Int) throws(RunError) {
        directory = try TemporaryPlace.make()
        var descriptors: [Int32] = []
        for gate in 0..<count {
            let descriptor = systemOpen(Self.path(directory, gate), O_CREAT)
            guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
                throw RunError("\(directory) cannot be written: \(String(cString: strerror(errno)))")
            }
            descriptors.append(descriptor)
        }
        self.descriptors = descriptors
    }

    deinit {
        for (gate, descriptor) in descriptors.enumerated() {
            close(descriptor)
            unlink(Self.path(directory, gate))
        }
        rmdir(directory)
    }

    func open(_ gate: Int) { if descriptors.indices.contains(gate) { flock(descriptors[gate], LOCK_UN) } }

    /// Waits in a worker until a gate is open. Blocks the thread: nothing else runs in that process meanwhile.
    static func wait(_ gate: Int, in directory: String) throws(RunError) {
        let descriptor = systemOpen(path(directory, gate), 0)
        guard descriptor >= 0 else { throw RunError("the coordinator's gate \(gate) is gone") }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_SH) != 0 {
            guard errno == EINTR else {
                throw RunError("gate \(gate): \(String(cString: strerror(errno)))")
            }
        }
    }

    private static func path(_ directory: String, _ gate: Int) -> String { "\(directory)/gate-\(gate)" }
}

/// Outside the type, where its method of that name would hide it.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, O_RDWR | O_CLOEXEC | flags, 0o600) }
