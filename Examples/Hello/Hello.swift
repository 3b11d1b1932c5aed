// Every process says hello, and everyone gets all greetings.
//
//     swift build -c release && .build/release/apus launch -n 4 .build/release/Hello

import Apus

@main
struct Hello {
    static func main() async throws {
        let accelerator = try await Accelerator()
        let message = ["Hello this is process \(accelerator.processIndex)"]
        let messages = try await accelerator.gatherObject(message)
        accelerator.print(messages)
    }
}
