package import ApusHub
import ApusJSON

/// Asks a hub. Redirects are followed here, one by one: the token goes to the hub itself and to nobody else.
package struct HubClient: Sendable {
    private let transport: any HTTPTransport
    private let endpoint: HTTPAddress
    private let token: String?
    package let patience: Patience
    private let remark: @Sendable (String) -> Void

    private static let mostRedirects = 10
    /// Larger lists of files than any repository has.
    private static let mostListBytes = 256 << 20

    /// - Parameter remark: is told what is waited for.
    /// - Throws: `HubError` if `HF_ENDPOINT` is no address.
    package init(
        _ environment: HubEnvironment, transport: any HTTPTransport, patience: Patience = Patience(),
        remark: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(HubError) {
        guard let endpoint = HTTPAddress(environment.endpoint) else {
            throw HubError(
                code: .invalidSetting, message: "HF_ENDPOINT is no address of a hub: \(environment.endpoint.quoted)")
        }
        self.endpoint = endpoint
        self.transport = transport
        self.patience = patience
        self.remark = remark
        token = environment.token
    }

    /// A page of the hub, for people.
    func page(of repository: String) -> String { address("/\(repository)")?.description ?? repository }

    // MARK: What the hub says

    /// The files of a repository at a revision, and which commit that is.
    package func listing(of name: HubName) async throws -> HubListing {
        let revision = HTTPAddress.escaped(name.revision ?? HubName.defaultRevision, keepsSlashes: false)
        let path = "/api/models/\(name.repository)/revision/\(revision)?blobs=true"
        var bytes: [UInt8] = []
        let head = try await answer("GET", path, of: name, collecting: &bytes)
        guard head.status == 200 else { throw refusal(head, of: name) }
        guard let listing = HubListing(bytes) else {
            throw HubError(
                code: .network,
                message: "\(name): \(endpoint) answers with no list of files; HF_ENDPOINT must be a hub's")
        }
        return listing
    }

    /// What the hub announces of a file, as huggingface_hub asks for it.
    func announcement(of file: String, _ commit: String, _ name: HubName) async throws -> HubFile {
        let path = Self.path(of: file, commit, name)
        var none: [UInt8] = []
        let head = try await answer("HEAD", path, of: name, collecting: &none, isEnough: HubFile.isComplete)
        guard head.status < 400, let announced = HubFile(head) else {
            if head.status >= 400 { throw refusal(head, of: name, file: file) }
            throw HubError(
                code: .network,
                message: "\(name): \(endpoint) says no ETag of \(file); HF_ENDPOINT must be a hub's")
        }
        return announced
    }

    /// One try to get a file from some byte on. The closures are those of `HTTPTransport`; what is no success is thrown, with
    /// `HTTPFailure` where another try makes sense.
    func get(
        _ file: String, _ commit: String, _ name: HubName, from offset: Int,
        head: (HTTPHead) throws -> Bool, part: (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        let range = offset > 0 ? [(name: "Range", value: "bytes=\(offset)-")] : []
        let last = try await exchange("GET", Self.path(of: file, commit, name), range, head: head, part: part)
        // 416 is for whoever asked for the range.
        if last.status >= 400, last.status != 416 {
            if Patience.isWorthAnotherTry(last.status) { throw Busy(head: last) }
            throw refusal(last, of: name, file: file)
        }
    }

    /// The server has no time now.
    struct Busy: Error {
        let head: HTTPHead
    }

    private static func path(of file: String, _ commit: String, _ name: HubName) -> String {
        "/\(name.repository)/resolve/\(commit)/\(HTTPAddress.escaped(file, keepsSlashes: true))"
    }

    // MARK: Requests

    private func address(_ path: String) -> HTTPAddress? {
        let base = endpoint.description
        return HTTPAddress((base.hasSuffix("/") ? String(base.dropLast()) : base) + path)
    }

    /// A small answer, asked for again while the server has no time.
    private func answer(
        _ method: String, _ path: String, of name: HubName, collecting bytes: inout [UInt8],
        isEnough: (HTTPHead) -> Bool = { _ in false }
    ) async throws -> HTTPHead {
        var attempt = 1
        while true {
            do {
                bytes.removeAll()
                let head = try await exchange(method, path, [], isEnough: isEnough) { _ in
                    true
                } part: { part in
                    guard bytes.count + part.count <= Self.mostListBytes else {
                        throw HubError(code: .network, message: "\(name): the hub's answer does not end")
                    }
                    bytes.append(contentsOf: part)
                }
                guard Patience.isWorthAnotherTry(head.status) else { return head }
                try await wait(after: &attempt, for: head, name)
            } catch let failure as HTTPFailure {
                try await wait(after: &attempt, for: failure, name)
            }
        }
    }

    /// Waits as a server wishes, or for twice as long each time; throws `HubError` when that was often enough.
    func wait(after attempt: inout Int, for head: HTTPHead, _ name: HubName) async throws {
        let isLimit = head.status == 429
        let what = isLimit ? "the hub's rate limit is reached" : "the hub answers \(head.status)"
        let wish = Patience.wish(head)
        if let wish, wish > patience.longestWish {
            throw HubError(
                code: .network, message: "\(name): \(what); it asks to wait for \(wish.components.seconds) s")
        }
        guard attempt < patience.attempts else {
            let help = isLimit && token == nil ? "; with HF_TOKEN it is higher" : ""
            throw HubError(code: .network, message: "\(name): \(what), \(attempt) times in a row\(help)")
        }
        let pause = wish ?? patience.pause(after: attempt)
        if pause >= .seconds(5) { remark("\(name): \(what); trying again in \(pause.components.seconds) s") }
        attempt += 1
        try await Task.sleep(for: pause)
    }

    func wait(after attempt: inout Int, for failure: HTTPFailure, _ name: HubName) async throws {
        guard attempt < (failure.isUnreached ? patience.attemptsToReach : patience.attempts) else {
            throw HubError(code: .network, message: "\(name): \(endpoint.origin.host): \(failure)")
        }
        let pause = patience.pause(after: attempt)
        if pause >= .seconds(5) { remark("\(name): \(failure); trying again in \(pause.components.seconds) s") }
        attempt += 1
        try await Task.sleep(for: pause)
    }

    /// One request, and those that its redirects lead to.
    ///
    /// - Parameter isEnough: whether what a redirect says of itself is all that is asked.
    /// - Returns: the last head. Bodies of redirects and errors are passed over.
    private func exchange(
        _ method: String, _ path: String, _ more: [(name: String, value: String)],
        isEnough: (HTTPHead) -> Bool = { _ in false }, head: (HTTPHead) throws -> Bool,
        part: (UnsafeRawBufferPointer) throws -> Void
    ) async throws -> HTTPHead {
        guard var address = address(path) else { throw HTTPFailure("\(path.quoted) is no path of an address") }
        var mayHaveToken = true
        for _ in 0...Self.mostRedirects {
            var headers = [(name: "User-Agent", value: "apus"), (name: "Accept-Encoding", value: "identity")] + more
            mayHaveToken = mayHaveToken && address.origin == endpoint.origin
            if mayHaveToken, let token { headers.append((name: "Authorization", value: "Bearer \(token)")) }
            var answer: HTTPHead?
            try await transport.send(HTTPRequest(method, address, headers: headers)) { found in
                answer = found
                return found.status < 300 || found.status == 416 ? try head(found) : false
            } part: {
                try part($0)
            }
            guard let answer else { throw HTTPFailure("no answer") }
            guard answer.isRedirect, !isEnough(answer) else { return answer }
            guard let location = answer["Location"], let next = address.following(location) else {
                throw HubError(code: .network, message: "\(address.origin.host): redirects to no address")
            }
            guard next.origin.scheme == "https" || address.origin.scheme == "http" else {
                throw HubError(
                    code: .network,
                    message: "\(address.origin.host): redirects to \(next.origin.host) without encryption")
            }
            address = next
        }
        throw HubError(code: .network, message: "\(endpoint.origin.host): redirects without end")
    }

    // MARK: Refusals

    private func refusal(_ head: HTTPHead, of name: HubName, file: String? = nil) -> HubError {
        let revision = (name.revision ?? HubName.defaultRevision).quoted
        let forToken =
            token == nil ? "; if it is private, set HF_TOKEN" : "; or the token in use may not read it"
        switch (head.status, head["X-Error-Code"] ?? "") {
        case (_, "GatedRepo"):
            return HubError(
                code: .forbidden,
                message: "\(name): its owner wants conditions accepted at \(page(of: name.repository))"
                    + (token == nil
                        ? ", and HF_TOKEN set to a token of who has" : ", and the token in use is not of who has"))
        case (_, "DisabledRepo"):
            return HubError(code: .forbidden, message: "\(name): the hub has disabled it")
        case (_, "RevisionNotFound"):
            return HubError(code: .notFound, message: "\(name): the hub has no revision \(revision) of it")
        case (_, "EntryNotFound"),
            (404, _) where file != nil:
            return HubError(code: .notFound, message: "\(name): the hub has no file \((file ?? "").quoted) of it")
        case (404, _), (_, "RepoNotFound"):
            return HubError(
                code: .notFound, message: "\(name): \(endpoint.origin.host) has no such model\(forToken)")
        case (401, _):
            return HubError(
                code: .forbidden,
                message: token == nil
                    ? "\(name): \(endpoint.origin.host) asks who you are: set HF_TOKEN"
                    : "\(name): \(endpoint.origin.host) does not take the token in use")
        case (403, _):
            let reason = head["X-Error-Message"].map { ": " + $0.printable(atMost: 200) } ?? ""
            return HubError(code: .forbidden, message: "\(name): \(endpoint.origin.host) refuses it\(reason)")
        default:
            return HubError(code: .network, message: "\(name): \(endpoint.origin.host) answers \(head.status)")
        }
    }
}
