import NIOCore

/// What a worker tells ten times a second, of its process's life so far.
package struct WorkerReport: Sendable, Equatable {
    /// New tokens.
    package var tokens = 0
    /// Steps finished.
    package var steps = 0
    /// The longest step, in seconds.
    package var longestStep = 0.0
    package var isLoading = false
    /// Over all steps: tokens computed, seconds, and the sums of tokens · tokens and tokens · seconds.
    package var stepTokens = 0.0
    package var stepSeconds = 0.0
    package var squaredTokens = 0.0
    package var tokenSeconds = 0.0
    /// Bytes that went from device to device, by cause.
    package var kvBytes = 0
    package var hiddenBytes = 0
    package var choiceBytes = 0

    package init() {}

    var message: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Int64(tokens), Int64(steps), UInt8(isLoading ? 1 : 0))
        for value in [longestStep, stepTokens, stepSeconds, squaredTokens, tokenSeconds] {
            buffer.writeInteger(value.bitPattern)
        }
        buffer.writeMultipleIntegers(Int64(kvBytes), Int64(hiddenBytes), Int64(choiceBytes))
        return buffer
    }

    /// Takes a report from the front of a message.
    init?(_ message: inout ByteBuffer) {
        guard let counts = message.readMultipleIntegers(as: (Int64, Int64, UInt8).self),
            let sums = message.readMultipleIntegers(as: (UInt64, UInt64, UInt64, UInt64, UInt64).self),
            let bytes = message.readMultipleIntegers(as: (Int64, Int64, Int64).self),
            let tokens = Int(exactly: counts.0), let steps = Int(exactly: counts.1)
        else { return nil }
        func finite(_ bits: UInt64) -> Double {
            let value = Double(bitPattern: bits)
            return value.isFinite ? value : 0
        }
        self.tokens = tokens
        self.steps = steps
        isLoading = counts.2 != 0
        longestStep = finite(sums.0)
        stepTokens = finite(sums.1)
        stepSeconds = finite(sums.2)
        squaredTokens = finite(sums.3)
        tokenSeconds = finite(sums.4)
        kvBytes = Int(bytes.0)
        hiddenBytes = Int(bytes.1)
        choiceBytes = Int(bytes.2)
    }

    /// Both lives of one worker together.
    package static func + (left: WorkerReport, right: WorkerReport) -> WorkerReport {
        var sum = right
        sum.tokens += left.tokens
        sum.steps += left.steps
        sum.longestStep = max(left.longestStep, right.longestStep)
        sum.stepTokens += left.stepTokens
        sum.stepSeconds += left.stepSeconds
        sum.squaredTokens += left.squaredTokens
        sum.tokenSeconds += left.tokenSeconds
        sum.kvBytes += left.kvBytes
        sum.hiddenBytes += left.hiddenBytes
        sum.choiceBytes += left.choiceBytes
        return sum
    }
}
