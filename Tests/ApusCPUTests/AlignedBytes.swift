/// Bytes of a matrix, where kernels may read them, for as long as this lives.
final class AlignedBytes: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ source: [UInt8]) {
        bytes = .allocate(byteCount: source.count, alignment: 64)
        bytes.copyBytes(from: source)
    }

    deinit { bytes.deallocate() }
}
