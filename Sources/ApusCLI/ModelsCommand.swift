import Apus
import ApusHub
import ApusJSON
import ApusRuns
import ArgumentParser

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Lists the models in the hub's cache, or describes one.",
        discussion: """
            Lists name, family, format and size of each, and whether this machine has memory for it. Of one, also its \
            parameters, context, tensors by format, bits a weight, tokenizer and chat template. Nothing is fetched, and no \
            weights are read.

            EXAMPLES
              apus models
              apus models org/name
              apus models DIR --json
            """)

    @Argument(
        help: ArgumentHelp(
            "A directory, or org/name@revision of the hub's cache; by default all of them.", valueName: "model"),
        completion: .directory)
    var model: String?

    @Flag(help: "JSON instead of lines to read.")
    var json = false

    func run() throws {
        let out = OutputDescriptor.standardOutput
        if let model {
            let details = try ModelDetails(of: model)
            let text = json ? JSONValue.object(details.json).serialized : Self.lines(details).joined(separator: "\n")
            return try out.write((text + "\n").utf8)
        }
        let cache = HubCache(.current)
        let models = try ModelListing.all(in: cache)
        if json { return try out.write((JSONValue.array(models.map { .object($0.json) }).serialized + "\n").utf8) }
        guard !models.isEmpty else {
            return StandardError.write("\(cache.path) holds no models; apus download org/name fetches one")
        }
        try out.write((Self.table(models).text + "\n").utf8)
    }

    // MARK: To read

    private static func table(_ models: [ModelSummary]) -> TextTable {
        TextTable(
            titles: ["name", "revision", "family", "format", "size", "fits", ""],
            rows: models.map { model in
                [
                    model.name, model.revision ?? "", model.family ?? "", model.format ?? "",
                    TextTable.bytes(Int128(model.byteCount)), model.fits.map { $0 ? "yes" : "no" } ?? "",
                    short(model.remark ?? ""),
                ]
            }, leftColumns: 7)
    }

    /// A remark may be a sentence with a path; in a table, its beginning must do.
    private static func short(_ remark: String) -> String {
        remark.count > 60 ? remark.prefix(57) + "..." : remark
    }

    private static func lines(_ details: ModelDetails) -> [String] {
        let summary = details.summary
        var facts: [(String, String?)] = [
            ("Model", summary.name), ("Revision", summary.revision), ("Path", summary.path), ("Family", summary.family),
            ("Parameters", details.parameters.map(count)), ("Layers", details.layers.map { "\($0)" }),
            ("Hidden size", details.hiddenSize.map { "\($0)" }), ("Vocabulary", details.vocabularySize.map { "\($0)" }),
            ("Context", details.contextLength.map { "\($0) tokens" }), ("Format", summary.format),
            ("Size", TextTable.bytes(Int128(summary.byteCount))),
        ]
        for format in details.formats {
            let tensors = "\(format.tensors) tensor\(format.tensors == 1 ? "" : "s")"
            let path = format.path == .floats ? "" : ", \(format.path.rawValue)"
            facts.append(("Of \(format.name)", "\(tensors), \(TextTable.bytes(Int128(format.byteCount)))\(path)"))
        }
        facts.append(("Bits a weight", details.bitsPerWeight.map { $0.written(2) }))
        facts.append(("Tokenizer", details.tokens.map { "\($0) tokens" } ?? details.tokenizerRemark ?? "none"))
        facts.append(("Chat template", details.templates.isEmpty ? "none" : details.templates.joined(separator: ", ")))
        facts.append(("Fits here", summary.fits.map { $0 ? "yes" : "no" }))
        facts.append(("Remark", summary.remark))
        return facts.compactMap { title, value in value.map { "- \(title): \($0)" } }
    }

    private static func count(_ number: Double) -> String {
        switch number {
        case ..<1e6: "\(Int(number))"
        case ..<1e9: (number / 1e6).written(2) + " million"
        default: (number / 1e9).written(2) + " billion"
        }
    }
}
