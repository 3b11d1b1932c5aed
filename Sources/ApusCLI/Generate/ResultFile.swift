#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What `--output` names. Results that go to a file go to `NAME.partial` beside it, which takes the name once all are there:
/// nothing that stood under the name is lost to a run that fails.
final class ResultFile {
    let output: OutputDescriptor
    /// Where results stand until the end; `nil` for what is no regular file and is written as it comes.
    let partial: String?
    private let target: String
    /// Whether the partial file is this run's, so that it may be taken away.
    private var isClaimed = false
    private var hasResults = false

    /// Opens what the path names. A descriptor's name (`/dev/stdout`) stands for the descriptor, a link for its target.
    ///
    /// - Parameters:
    ///   - replaces: whether results that stand there already give way, at the end.
    ///   - inputs: files that must not be written to.
    /// - Throws: `CommandError` if the path names an input, holds something already, or cannot be written.
    init(path: String, replaces: Bool, inputs: [String]) throws(CommandError) {
        let place = try OutputPlace(path)
        try Self.refuse(inputs, at: place.identity, path)
        switch place {
        case .descriptor(let number):
            partial = nil
            target = path
            output = try OutputDescriptor(duplicating: number, name: path)
        case .device:
            partial = nil
            target = path
            output = try OutputDescriptor(opening: path)
        case .file(let file):
            if !replaces, let own = FileIdentity(file), own.byteCount > 0 {
                throw CommandError("\(path): holds something already; --force replaces it once all results are there")
            }
            let partial = file + ".partial"
            try Self.refuse(inputs, at: FileIdentity(partial), partial)
            // Not through a link: it would lead out of this run's hands.
            let output = try OutputDescriptor(
                opening: partial, flags: O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK, name: "\(path).partial")
            self.partial = partial
            target = file
            self.output = output
            try claim(replaces: replaces)
        }
    }

    private static func refuse(_ inputs: [String], at place: FileIdentity?, _ path: String) throws(CommandError) {
        guard let place, let input = inputs.first(where: { FileIdentity($0) == place }) else { return }
        throw CommandError("\(path): is the file \(input), which is read; results must go elsewhere")
    }

    /// Takes the partial file for this run. What an earlier run has left there is results of somebody.
    private func claim(replaces: Bool) throws(CommandError) {
        guard let own = FileIdentity(descriptor: output.number), own.kind == S_IFREG, own.links == 1 else {
            throw CommandError("\(output.name): is there already and no file of results; it must be taken away first")
        }
        guard flock(output.number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw CommandError("\(output.name): another run is writing it")
        }
        if own.byteCount > 0 {
            guard replaces else {
                throw CommandError("\(output.name): holds results of a run that did not end; --force gives them up")
            }
            guard ftruncate(output.number, 0) == 0 else { throw output.failure }
        }
        isClaimed = true
    }

    deinit {
        if let partial, isClaimed, !hasResults { unlink(partial) }
        output.close()
    }

    func write(_ bytes: some Collection<UInt8>) throws(CommandError) {
        guard !bytes.isEmpty else { return }
        hasResults = true
        try output.write(bytes)
    }

    /// Gives the file its name; it is then on its disk. Throws `CommandError` if that fails, and the results stay where they
    /// are.
    func finish() throws(CommandError) {
        guard let partial else { return }
        hasResults = true
        if let mode = FileIdentity(target)?.mode { fchmod(output.number, mode) }
        guard fsync(output.number) == 0 || errno == EINVAL || errno == EROFS, rename(partial, target) == 0 else {
            throw CommandError(
                "\(target) cannot be written, results stay in \(partial): \(String(cString: strerror(errno)))")
        }
    }
}
