#!/usr/bin/env bash
# Builds the documentation of the Apus module and what it exports again, as a web site. Warnings, such as links to symbols
# that are not there, are errors. Needs a release build and the docc of a Swift toolchain; without it says so and ends well.
#
#     Scripts/docs.sh [DIR]          by default .build/docs; python3 -m http.server --directory .build/docs shows it
set -euo pipefail
cd "$(dirname "$0")/.."
output=${1:-.build/docs}
swift=${SWIFT:-swift}
tools=$(dirname "$(command -v "$swift")")
docc=$(command -v docc || xcrun --find docc 2>/dev/null || echo "$tools/docc")
if [ ! -x "$docc" ]; then
    echo "documentation skipped: this Swift toolchain has no docc"
    exit 0
fi
products=$PWD/$("$swift" build -c release --show-bin-path | sed "s|^$PWD/||")
maps=()
for map in "$products"/*.build/module.modulemap .build/checkouts/*/Sources/*/include/module.modulemap; do
    [ -f "$map" ] && maps+=(-Xcc "-fmodule-map-file=$map")
done
# A program imports Apus and gets the symbols of all of these. What others may extend is theirs, and left out.
exported=$(sed -n 's/^@_exported public import //p' Sources/Apus/Exports.swift | paste -sd, -)
target=$("$swift" -print-target-info | sed -n 's/.*"unversionedTriple" *: *"\(.*\)".*/\1/p' | head -1)
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
"$swift" symbolgraph-extract -module-name Apus -I "$products/Modules" "${maps[@]}" -target "$target" \
    -minimum-access-level public -skip-synthesized-members -experimental-allowed-reexported-modules="$exported" \
    -output-dir "$graphs"
"$docc" convert Sources/Apus/Apus.docc --additional-symbol-graph-dir "$graphs" --output-dir "$output" \
    --fallback-display-name Apus --fallback-bundle-identifier apus --warnings-as-errors
echo "documentation of $exported in $output"
