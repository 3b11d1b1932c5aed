/// The part of an input that a run does: all of it, or a shard.
package struct RunPart: Sendable {
    /// Where it begins.
    package var place = PromptReader.Place()
    /// Prompts; `nil` for all.
    package var count: Int?
    /// `3/8` of a shard.
    package var name: String?
    /// What the part of the input holds, where that is known.
    package var survey: InputSurvey?
    /// Taken once for all shards that one process does.
    package var model: ModelIdentity?
    /// On which a shard that begins must run; that of the machine if `nil`.
    package var instructionSet: String?

    package init() {}
}
