package import ApusHub

/// The hub that models are published on, huggingface.co or what `HF_ENDPOINT` names.
public enum ModelHub {
    /// Fetches what is missing of a model into the cache that huggingface_hub keeps on this machine, so that
    /// `from(pretrained:)` finds it by its name. What a download that ended has left is gone on with.
    ///
    /// `HF_TOKEN` shows who asks; with `HF_HUB_OFFLINE`, only what is there already is found.
    ///
    /// - Parameters:
    ///   - name: `org/name`, with `@revision`, `:QUANTIZATION` or `/FILE.gguf` behind it.
    ///   - include: patterns of the files that are wanted; by default those that Apus reads.
    /// - Returns: the snapshot's directory.
    /// - Throws: `HubError`, or `CancellationError`.
    public static func download(_ name: String, include: [String] = []) async throws -> String {
        try await download(HubName(name), include: include, progress: DownloadProgress()) { _ in }
    }

    package static func download(
        _ name: HubName, include: [String], progress: DownloadProgress, remark: @escaping @Sendable (String) -> Void
    ) async throws -> String {
        let environment = HubEnvironment.current
        guard !environment.isOffline else { return try found(name, HubCache(environment)) }
        return try await Network.use(environment) { transport in
            try await HubDownload(environment, transport: transport, progress: progress, remark: remark)
                .fetch(name, include: include)
        }
    }

    /// What is there without a network.
    private static func found(_ name: HubName, _ cache: HubCache) throws(HubError) -> String {
        do {
            _ = try ModelPath(cache: cache).resolve(name.description)
            return try cache.snapshot(of: name).directory
        } catch  where error.code == .notCached {
            throw HubError(
                code: .offline,
                message: "\(name): is not wholly in the cache \(cache.path), and HF_HUB_OFFLINE forbids to ask the hub")
        }
    }
}
