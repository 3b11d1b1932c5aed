#!/usr/bin/env bash
# Packs a statically built program with what belongs to it, named by version and platform, and checks that the archive works
# on its own. Prints the archive's path.
#
#     Scripts/dist.sh PROGRAM SCRATCH      SCRATCH: the folder that SwiftPM built it in, with its checkouts
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 scratch=$2
# apus 0.1.0 (COMMIT, release, Swift 6.3, linux x86_64)
name=$("$program" --version | sed 's/^apus \([^ ]*\) .*, \([^ ]*\) \([^ ]*\))$/apus-\1-\2-\3/')
root=$scratch/$name
rm -rf "$root"
Scripts/install.sh "$program" "$root" .
install -m 644 LICENSE README.md CHANGELOG.md "$root"
# The program holds these packages, and the Swift runtime.
for package in "$scratch"/checkouts/*/; do
    for text in "$package"LICENSE* "$package"NOTICE*; do
        [ -f "$text" ] || continue
        install -d "$root/licenses"
        install -m 644 "$text" "$root/licenses/$(basename "$package")-$(basename "$text")"
    done
done
tar -czf "$root.tar.gz" --owner=0 --group=0 -C "$scratch" "$name"
rm -rf "$root"
Scripts/check-dist.sh "$root.tar.gz"
echo "$root.tar.gz"
