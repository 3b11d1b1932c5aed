extension Duration {
    /// "90 seconds", for messages.
    var inWords: String {
        let seconds = self / .seconds(1)
        let number = seconds == seconds.rounded() && seconds < 1e15 ? String(Int(seconds)) : String(seconds)
        return number == "1" ? "1 second" : number + " seconds"
    }
}
