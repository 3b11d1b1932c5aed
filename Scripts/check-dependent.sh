#!/usr/bin/env bash
# Builds a package outside that depends on this one by its path and holds README's program, as a newcomer would write it, and
# runs it. A warning is an error. Takes as long as a build from nothing.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/Sources/Stories"
cat >"$place/Package.swift" <<PACKAGE
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Stories",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "apus", path: "$source")],
    targets: [.executableTarget(name: "Stories", dependencies: [.product(name: "Apus", package: "apus")])]
)
PACKAGE
cp "$source/Tests/ReadmeProgram/main.swift" "$place/Sources/Stories/main.swift"
cd "$place"
"${SWIFT:-swift}" build -c release 2>&1 | tee build.log
if grep -q 'warning:' build.log; then
    echo "a program that depends on Apus gets warnings" >&2
    exit 1
fi
[ "$(.build/release/Stories | wc -l)" = 3 ] || { echo "README's program does not tell three stories" >&2; exit 1; }
