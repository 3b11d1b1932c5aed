import ApusCheckpoints
import ApusTestSupport
import Foundation
import Testing

@Suite struct StagedDirectoryTests {
    /// Processes of two machines may have one number.
    @Test func twoOfOneTargetDoNotMeet() throws {
        let place = try TemporaryDirectory()
        let first = try StagedDirectory(for: place.path + "/model", from: "/nowhere", replaces: false)
        let second = try StagedDirectory(for: place.path + "/model", from: "/nowhere", replaces: false)
        #expect(first.path != second.path)
        try first.write("config.json", "{}")
        try first.commit()
        #expect(throws: CheckpointError.self) {
            try second.write("config.json", "[]")
            try second.commit()
        }
        #expect(try String(contentsOfFile: place.path + "/model/config.json", encoding: .utf8) == "{}")
    }

    @Test func whatIsNotCommittedVanishes() throws {
        let place = try TemporaryDirectory()
        do {
            let staged = try StagedDirectory(for: place.path + "/model/", from: "/nowhere", replaces: false)
            try staged.write("config.json", "{}")
            #expect(try place.names.count == 1)
        }
        #expect(try place.names.isEmpty)
    }
}
