import ApusJSON
import ApusRuns
import ApusTestSupport
import Testing

@Suite struct JournalTests {
    let directory: TemporaryDirectory
    private var path: String { directory.path + "/out.journal" }

    init() throws { directory = try TemporaryDirectory() }

    private func result(_ index: Int, isError: Bool = false, _ text: String = "{\"index\":0}") -> JournalRecord {
        .result(
            JournalRecord.Result(
                index: index, digest: .max - UInt64(index), rank: index % 3, tokens: 7, promptTokens: 2,
                isError: isError, line: Array(text.utf8)))
    }

    private func journal(_ records: [JournalRecord]) throws {
        let journal = try Journal(path: path, of: "out")
        try journal.begin(["version": "1"])
        try journal.append(records)
        try journal.sync()
    }

    @Test func recordsAreReadAsTheyWereWritten() throws {
        for record in [result(0), result(1_000_000, isError: true, "a b  c "), .header(["a": 1]), .done([:])] {
            #expect(JournalRecord(Array(record.bytes.dropLast())) == record)
        }
    }

    /// No byte may be lost, changed or added.
    @Test func whatIsNotWhatWasWrittenIsNoRecord() {
        let bytes = Array(result(3).bytes.dropLast())
        for place in bytes.indices {
            #expect(JournalRecord(Array(bytes[..<place])) == nil)
            var other = bytes
            other[place] ^= 1
            #expect(JournalRecord(other) == nil, "byte \(place)")
        }
    }

    @Test func aTornTailIsCut() throws {
        try journal((0..<4).map { result($0) })
        let whole = try readFile(path)
        let lines = whole.split(separator: 0x0A).map { $0.count + 1 }
        for place in 0...whole.count {
            try directory.write("cut", Array(whole[..<place]))
            let scan = try JournalScan(path: directory.path + "/cut")
            var (end, count) = (0, -1)
            for line in lines where end + line <= place {
                end += line
                count += 1
            }
            #expect(scan.end == end && scan.count == max(count, 0) && (scan.header != nil) == (count >= 0))
        }
    }

    @Test func resultsComeInTheirOrderEachPromptsLast() throws {
        try journal([
            result(2), result(0, isError: true), result(1), result(4, isError: true), result(3),
            result(4, isError: true, "again"), result(0, isError: false, "mended"), .done([:]),
        ])
        let scan = try JournalScan(path: path)
        #expect(scan.count == 5 && scan.errorCount == 1 && scan.done != nil)
        let replay = try JournalReplay(path: path, scan: scan)
        let lines = try (0..<6).map { try replay.result(of: $0).map { String(decoding: $0.line, as: UTF8.self) } }
        #expect(lines == ["mended", "{\"index\":0}", "{\"index\":0}", "{\"index\":0}", "again", nil])
        #expect(try replay.rest() == nil)
    }

    @Test func oneOutputHasOneRun() throws {
        let first = try Journal(path: path, of: "out")
        let error = #expect(throws: RunError.self) { try Journal(path: path, of: "out") }
        #expect(error?.code == .tryAgain && error?.description == "out: another run is writing it")
        withExtendedLifetime(first) {}
    }

    @Test func whatFollowsTheLastWholeRecordIsWrittenAnew() throws {
        try journal([result(0), result(1)])
        let whole = try readFile(path)
        try directory.write("out.journal", Array(whole.dropLast(5)))
        let scan = try JournalScan(path: path)
        #expect(scan.count == 1)
        let journal = try Journal(path: path, of: "out")
        try journal.goOn(after: scan.end)
        try journal.append([result(1)])
        #expect(try readFile(path) == whole)
    }
}
