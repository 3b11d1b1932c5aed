#!/usr/bin/env bash
# Prints how long the files are, and fails when one passes 600 lines or their median 120.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -co --exclude-standard 'Sources/*.swift' 'Sources/*.c' 'Sources/*.h' 'Tests/*.swift' 'Tests/*.py' \
    'Examples/*.swift' 'Scripts/*' 'Benchmarks/*.py' | while read -r file; do
    [ -f "$file" ] && echo "$(wc -l <"$file") $file"
done | sort -n | awk '
    { lines[NR] = $1; name[NR] = $2; if ($1 > 350) large++ }
    END {
        median = lines[int((NR + 1) / 2)]
        printf "%d files, median %d lines, %.0f %% over 350, longest %d (%s)\n", NR, median, 100 * large / NR, lines[NR], name[NR]
        exit (median > 120 || lines[NR] > 600)
    }'
