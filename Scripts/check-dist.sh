#!/usr/bin/env bash
# Unpacks an archive of make dist somewhere else, and runs it as on a machine without Swift: no environment, and in place of
# the folders of the Swift toolchain and of these sources an empty one, where the system lets us do that.
#
#     Scripts/check-dist.sh ARCHIVE
set -euo pipefail
archive=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
source=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tar -xzf "$archive" -C "$place" --strip-components=1
mkdir "$place/empty"

if command -v ldd >/dev/null; then
    foreign=$(ldd "$place/apus" | awk '{ print $1 }' | grep -Ev \
        '^(linux-vdso|/lib.*/ld-linux-|lib(c|m|dl|pthread|rt|util|stdc\+\+|gcc_s)\.)' || true)
    [ -z "$foreign" ] || { echo "$archive needs more than the system's libraries: $foreign" >&2; exit 1; }
fi

# Finds nothing of Swift or of the sources by any path.
hidden=("$source")
swift=$(command -v "${SWIFT:-swift}" || true)
[ -z "$swift" ] || hidden+=("$(dirname "$(dirname "$(readlink -f "$swift")")")")
alone=(env -i PATH=/usr/bin:/bin)
if unshare -m true 2>/dev/null; then
    cover='empty=$1; shift; while [ "$1" != -- ]; do mount --bind "$empty" "$1"; shift; done; shift; exec "$@"'
    alone+=(unshare -m sh -c "$cover" sh "$place/empty" "${hidden[@]}" --)
else
    echo "the toolchain stays in view: no mount namespaces here" >&2
fi

cd "$place"
"${alone[@]}" ./apus --version
lines=$("${alone[@]}" ./apus generate "a dog" "a cat" -n 2 --quiet --max-new-tokens 20 | grep -c '"finish_reason"')
[ "$lines" = 2 ] || { echo "the demo of $archive gives $lines results for 2 prompts" >&2; exit 1; }
for file in share/man/man1/apus-generate.1 share/bash-completion/completions/apus LICENSE; do
    [ -s "$file" ] || { echo "$archive has no $file" >&2; exit 1; }
done
