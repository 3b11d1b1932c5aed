import Dispatch
import NIOCore
import NIOPosix
import Synchronization

/// The thread that serves every socket of this process.
///
/// It lives as long as the process: the last words of a connection may be written after its owner is gone.
enum EventLoop {
    private static let running = Mutex<(any NIOCore.EventLoop)?>(nil)

    /// On a thread of our own: where the system has no more of them, NIO's ends the process.
    /// Throws `DistributedError` (`.launch`) if there is no thread, or no room for what a loop needs.
    static func shared() throws(DistributedError) -> any NIOCore.EventLoop {
        try running.withLock { running throws(DistributedError) in
            if let running { return running }
            try Headroom.check()
            let loop = try start()
            running = loop
            return loop
        }
    }

    private static func start() throws(DistributedError) -> any NIOCore.EventLoop {
        let (handover, isThere) = (Handover(), DispatchSemaphore(value: 0))
        try BackgroundThread.start {
            MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
                handover.loop.withLock { $0 = loop }
                isThere.signal()
            }
        }
        isThere.wait()
        guard let loop = handover.loop.withLock({ $0 }) else { throw .launch("no loop for sockets could be started") }
        return loop
    }

    private final class Handover: Sendable {
        let loop = Mutex<(any NIOCore.EventLoop)?>(nil)
    }

    /// Small for commands, up to 1 MiB a read for tensors.
    static let receiveBuffers = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16384, maximum: 1 << 20)
}
