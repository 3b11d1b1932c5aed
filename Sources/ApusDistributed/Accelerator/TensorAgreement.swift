import ApusCompute

/// Whether the tensors of all ranks fit together, and if not, whose does not.
struct TensorAgreement: Sendable {
    /// The name of the call, for messages.
    let name: String
    /// A dimension in which the tensors may differ.
    var freeDimension: Int?

    /// Every rank finds the same: the odd one out is the rank that differs from most, and of a tie from the first.
    func check(_ headers: [TensorMessage.Header]) throws(DistributedError) {
        let forms = headers.map(form)
        var votes: [String: Int] = [:]
        for form in forms { votes[form, default: 0] += 1 }
        guard votes.count > 1, let most = votes.values.max(), let usual = forms.first(where: { votes[$0] == most }),
            let rank = forms.firstIndex(where: { $0 != usual })
        else { return }
        throw .mismatch(
            "\(name): rank \(rank) passed a tensor of \(headers[rank].dtype) and shape \(headers[rank].shape), "
                + "the others of \(usual)", rank: rank)
    }

    /// Whether all that have a tensor have one like the source's.
    func check(against source: Int, _ headers: [TensorMessage.Header?]) throws(DistributedError) {
        guard let expected = headers[source] else { return }
        for (rank, header) in headers.enumerated() {
            guard let header, header != expected else { continue }
            throw .mismatch(
                "\(name): rank \(rank) passed a tensor of \(header.dtype) and shape \(header.shape), "
                    + "rank \(source) sends one of \(form(expected))", rank: rank)
        }
    }

    private func form(_ header: TensorMessage.Header) -> String {
        let extents = header.shape.dimensions.enumerated().map { $0 == freeDimension ? "any" : String($1) }
        return "\(header.dtype) and shape [\(extents.joined(separator: ", "))]"
    }
}
