package import ApusHub

/// The models that the hub's cache holds.
package enum ModelListing {
    /// One for each snapshot, in the order of their names, and one for each model of GGUF files.
    ///
    /// Reads configurations and the headers of weights. What cannot be described is listed with a remark.
    package static func all(in cache: HubCache = HubCache(.current)) throws -> [ModelSummary] {
        let machine = try MachineDevices()
        return cache.repositories.flatMap { repository in
            cache.snapshots(of: repository).flatMap { summaries(of: $0, machine) }
        }
    }

    private static func summaries(of snapshot: HubCache.Snapshot, _ machine: MachineDevices) -> [ModelSummary] {
        let (directory, name) = (snapshot.directory, snapshot.repository)
        let files = SmallFile.files(below: directory)
        var summaries = GGUFFiles(files).models.map { model in
            ModelSummary(
                gguf: model, in: directory, named: "\(name)/\(model.name)", revision: snapshot.revision, on: machine)
        }
        let isCheckpoint = files.contains { SnapshotFiles.isOtherWeight($0) || $0 == SnapshotFiles.index }
        if isCheckpoint || (summaries.isEmpty && files.contains(SnapshotFiles.configuration)) {
            summaries.append(
                ModelSummary(
                    checkpoint: directory, named: name, revision: snapshot.revision, files: files, on: machine))
        } else if summaries.isEmpty {
            var other = ModelSummary(
                name: name, revision: snapshot.revision, path: directory, files: files.map { "\(directory)/\($0)" })
            other.remark = "no weights"
            summaries.append(other)
        }
        return summaries
    }
}
