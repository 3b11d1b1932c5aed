#!/usr/bin/env bash
# Compiles the C targets for arm64 and for a plain x86-64, without linking. Needs clang, and for arm64 the headers of
# Debian's libc6-dev-arm64-cross (or SYSROOT set to another arm64 root).
set -euo pipefail
cd "$(dirname "$0")/.."
sysroot=${SYSROOT:-/usr/aarch64-linux-gnu}
[ -d "$sysroot/include" ] || { echo "no arm64 headers in $sysroot: install libc6-dev-arm64-cross" >&2; exit 1; }
object=$(mktemp)
trap 'rm -f "$object"' EXIT
for file in Sources/C*/*.c; do
    flags=(-O2 -Wall -Wextra -Werror "-I$(dirname "$file")/include" -c "$file" -o "$object")
    clang --target=aarch64-linux-gnu -isystem "$sysroot/include" "${flags[@]}"
    clang --target=x86_64-linux-gnu -march=x86-64 "${flags[@]}"
done
echo "the C targets compile for arm64 and x86-64"
