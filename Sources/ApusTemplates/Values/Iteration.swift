/// Values one after the other, made when they are asked for, and only once: what Python calls a generator.
final class Iteration {
    typealias Step = () throws(TemplateError) -> Value?

    private var step: Step?
    let depth: Int

    init(depth: Int, _ step: @escaping Step) {
        self.depth = depth
        self.step = step
    }

    init(_ values: [Value], depth: Int) {
        self.depth = depth
        var position = 0
        step = {
            guard position < values.count else { return nil }
            position += 1
            return values[position - 1]
        }
    }

    func next() throws(TemplateError) -> Value? {
        // A generator that has failed is at its end.
        guard let current = step else { return nil }
        step = nil
        guard let value = try current() else { return nil }
        step = current
        return value
    }
}
