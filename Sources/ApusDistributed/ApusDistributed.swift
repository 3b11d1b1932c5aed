// The room is furnished in later commits.
