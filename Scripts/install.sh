#!/usr/bin/env bash
# Puts a program, its demo model, its manual and the completions of shells below a directory, or takes them away.
#
#     Scripts/install.sh PROGRAM ROOT [BIN]      BIN: where in ROOT the program goes, by default bin
#     Scripts/install.sh --remove ROOT
set -euo pipefail
if (($# < 2)); then
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 64
fi
source=$(cd "$(dirname "$0")/.." && pwd)
root=$2
share=$root/share
bash=$share/bash-completion/completions/apus
zsh=$share/zsh/site-functions/_apus
fish=$share/fish/vendor_completions.d/apus.fish

if [ "$1" = --remove ]; then
    rm -f "$root/bin/apus" "$share"/man/man1/apus.1 "$share"/man/man1/apus-*.1 "$bash" "$zsh" "$fish"
    rm -rf "$share/apus"
    exit
fi

program=$root/${3:-bin}/apus
install -d "$(dirname "$program")" "$share"/{apus/Demo,man/man1} "$(dirname "$bash")" "$(dirname "$zsh")" \
    "$(dirname "$fish")"
install -m 755 "$1" "$program"
install -m 644 "$source"/Sources/Apus/Demo/* "$share/apus/Demo"

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$program" _manual "$pages"
install -m 644 "$pages"/*.1 "$share/man/man1"
for shell in bash zsh fish; do
    "$program" --generate-completion-script "$shell" >"$pages/script"
    install -m 644 "$pages/script" "${!shell}"
done
