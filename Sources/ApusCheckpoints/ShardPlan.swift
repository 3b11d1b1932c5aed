package import ApusJSON

/// Which file of a new checkpoint holds which tensors, with the names that transformers gives them.
package struct ShardPlan<Item: Sendable>: Sendable {
    package struct Shard: Sendable {
        package let file: String
        package let items: [Item]
    }

    package let shards: [Shard]
    /// Bytes of all tensors.
    package let byteCount: Int

    private let tensors: @Sendable (Item) -> [TensorDescription]

    /// Fills one file after the other; only an item larger than the limit makes a larger one.
    package init(
        _ items: [Item], maximumByteCount: Int, tensors: @escaping @Sendable (Item) -> [TensorDescription]
    ) {
        var groups: [[Item]] = [[]]
        var (size, total) = (0, 0)
        for item in items {
            let count = tensors(item).reduce(0) { $0 + $1.byteCount }
            if size > 0, size + count > maximumByteCount {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(item)
            size += count
            total += count
        }
        let last = groups.count
        shards = groups.enumerated().map { index, items in
            Shard(
                file: last == 1
                    ? DirectoryContents.weightsName : ShardNames.name("model", index + 1, of: last),
                items: items)
        }
        byteCount = total
        self.tensors = tensors
    }

    package func tensors(of shard: Shard) -> [TensorDescription] { shard.items.flatMap(tensors) }

    /// `model.safetensors.index.json` and what stands in it; `nil` if there is one file.
    package var index: (file: String, value: JSONValue)? {
        guard shards.count > 1 else { return nil }
        let map = shards.flatMap { shard in
            tensors(of: shard).map { JSONObject.Member(key: $0.name, value: .string(shard.file)) }
        }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return (
            DirectoryContents.indexName,
            ["metadata": ["total_size": .integer(byteCount)], "weight_map": .object(JSONObject(map))]
        )
    }
}
