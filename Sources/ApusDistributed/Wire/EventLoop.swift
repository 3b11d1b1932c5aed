import NIOCore
import NIOPosix

/// The thread that serves every socket of this process.
///
/// It lives as long as the process: the last words of a connection may be written after its owner is gone.
enum EventLoop {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Small for commands, up to 1 MiB a read for tensors.
    static let receiveBuffers = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16384, maximum: 1 << 20)
}
