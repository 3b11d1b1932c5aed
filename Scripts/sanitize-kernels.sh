#!/usr/bin/env bash
# Runs every kernel of every instruction set of this machine under the address and undefined-behaviour sanitizers, with
# memory that ends where it says (Tests/Kernels). Needs a clang with those: CC, or one on PATH (Debian: clang and the
# libclang-rt-*-dev of its version). The kernels are written with vectors by clang's extensions, so gcc will not do.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wall -Wextra -Werror
    -ISources/CApusKernels/include -ISources/CApusKernels)
echo 'int main(void) { return 0; }' >"$work/try.c"
compiler=
for each in ${CC:-} clang $(compgen -c clang- | grep -E '^clang-[0-9]+$' | sort -t- -k2 -rn -u || true); do
    if "$each" "${flags[@]}" "$work/try.c" -o "$work/try" 2>"$work/log" && "$work/try" 2>>"$work/log"; then
        compiler=$each
        break
    fi
done
if [ -z "$compiler" ]; then
    cat "$work/log" >&2
    echo "no clang with sanitizers: install clang and libclang-rt-dev of the same version, or set CC" >&2
    exit 1
fi
printf '%s\0' Sources/CApusKernels/*.c Tests/Kernels/*.c | WORK=$work CC=$compiler xargs -0 -P "$(nproc)" -I{} \
    bash -c '"$CC" "$@" -c "$0" -o "$WORK/$(dirname "$0" | tr / -)-$(basename "$0").o"' {} "${flags[@]}"
"$compiler" "${flags[@]}" "$work"/*.o -lm -o "$work/kernels" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
# What the checks forget to free is no fault of the kernels, and looking for it needs rights that containers lack.
ASAN_OPTIONS=detect_leaks=0 "$work/kernels"
