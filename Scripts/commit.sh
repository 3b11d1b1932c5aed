#!/bin/sh
# Prints the commit that the sources are of, with "-modified" if they have changed since, or "unknown". Given a file, writes
# it there as Swift, and leaves the file as it is if it says so already, so that nothing is compiled again.
archived='$Format:%h$'
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_OPTIONAL_LOCKS=0
root=$(cd "$(dirname "$0")/.." && pwd -P)

named() {
    # A copy of the sources inside another repository has none of that one's commits.
    [ "$(git -C "$root" rev-parse --show-toplevel)" = "$root" ] || return 1
    commit=$(git -C "$root" rev-parse --short=7 HEAD) || return 1
    changes=$(git -C "$root" status --porcelain -- Package.swift Plugins Sources Scripts/commit.sh) || return 1
    echo "$commit${changes:+-modified}"
}

commit=$(named 2>/dev/null) || case $archived in
    # Git fills this in when it makes an archive.
    [0-9a-f]*) commit=$archived ;;
    *) commit=unknown ;;
esac
[ $# -gt 0 ] || { echo "$commit"; exit; }
text="enum BuiltCommit { static let name = \"$commit\" }"
[ "$(cat "$1" 2>/dev/null)" = "$text" ] || echo "$text" >"$1"
