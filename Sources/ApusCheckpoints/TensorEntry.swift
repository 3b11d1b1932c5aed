import ApusJSON

/// One entry of a safetensors header, not yet checked.
struct TensorEntry {
    let name: String
    let description: JSONValue
    let mapping: MappedFile

    private func fault(_ reason: String) -> CheckpointError {
        .malformed("\(mapping.path): tensor \(name.quoted): \(reason)")
    }

    func tensor(dataStart: Int) throws(CheckpointError) -> StoredTensor {
        guard let object = description.object else { throw fault("expected an object, got \(description.kind)") }
        if let key = object.duplicateKey { throw fault("the key \(key.quoted) stands twice") }

        let dtype = try dtype(object["dtype"])
        let shape = try integers(object["shape"], "shape")
        let offsets = try integers(object["data_offsets"], "data_offsets")
        guard offsets.count == 2 else { throw fault("data_offsets: expected 2 numbers, got \(offsets.count)") }
        let (start, end) = (offsets[0], offsets[1])
        let available = mapping.bytes.count - dataStart
        guard start <= end else { throw fault("data_offsets: \(start) lies behind \(end)") }
        guard end <= available else {
            throw fault(
                "data_offsets: ends at byte \(end), but the file has \(available) bytes of data; is it cut short?")
        }
        let expected = try byteCount(dtype, shape)
        guard expected == end - start else {
            throw fault("\(dtype.rawValue) of shape \(shape): expected \(expected) bytes, got \(end - start)")
        }
        return StoredTensor(
            name: name, dtype: dtype, shape: shape, mapping: mapping, range: dataStart + start..<dataStart + end)
    }

    private func dtype(_ value: JSONValue?) throws(CheckpointError) -> StoredDType {
        guard let value else { throw fault("dtype is missing") }
        guard let text = value.string else { throw fault("dtype: expected a string, got \(value.kind)") }
        guard let dtype = StoredDType(rawValue: text) else { throw fault("unknown dtype \(text.quoted)") }
        return dtype
    }

    private func integers(_ value: JSONValue?, _ key: String) throws(CheckpointError) -> [Int] {
        guard let value else { throw fault("\(key) is missing") }
        guard let elements = value.array else { throw fault("\(key): expected an array, got \(value.kind)") }
        guard elements.count <= 64 else { throw fault("\(key): expected at most 64 numbers, got \(elements.count)") }
        var numbers: [Int] = []
        for element in elements {
            guard case .integer(let number) = element, number >= 0 else {
                let got = String(element.serialized.prefix(40))
                throw fault("\(key): expected integers of at least 0, got \(got)")
            }
            numbers.append(number)
        }
        return numbers
    }

    private func byteCount(_ dtype: StoredDType, _ shape: [Int]) throws(CheckpointError) -> Int {
        var bits = dtype.bitCount
        for extent in shape {
            let (product, overflow) = bits.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw fault("a shape of \(shape) is too large") }
            bits = product
        }
        guard bits % 8 == 0 else {
            throw fault("\(dtype.rawValue) of shape \(shape) does not fill whole bytes")
        }
        return bits / 8
    }
}
