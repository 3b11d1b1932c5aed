/// What the name of a blob promises of its bytes.
///
/// Written out, since a library for cryptography takes longer to compile than Apus; what is guarded against here is damage on
/// the way, the other end being known by its certificate.
struct BlobDigest {
    enum Kind: Sendable, Equatable {
        /// Of large files (git-lfs): 64 hexadecimal digits.
        case sha256
        /// Of others, as git has it, with a header before them: 40 digits.
        case git

        /// `nil` for tags that promise nothing.
        init?(etag: String) {
            let isHexadecimal = etag.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
            switch (isHexadecimal, etag.utf8.count) {
            case (true, 64): self = .sha256
            case (true, 40): self = .git
            default: return nil
            }
        }
    }

    private var sha256: SHA256?
    private var sha1: SHA1?

    init(_ kind: Kind?, byteCount: Int) {
        switch kind {
        case .sha256?: sha256 = SHA256()
        case .git?:
            var digest = SHA1()
            Array("blob \(byteCount)\0".utf8).withUnsafeBytes { digest.add($0) }
            sha1 = digest
        case nil: break
        }
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        sha256?.add(bytes)
        sha1?.add(bytes)
    }

    /// In hexadecimal digits; `nil` where nothing was promised.
    func finished() -> String? {
        var (first, second) = (sha256, sha1)
        return first?.finish() ?? second?.finish()
    }
}
