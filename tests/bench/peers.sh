#!/bin/sh
# Times our convolutions beside oneDNN's primitives, layer by layer: ROUNDS=3 rounds of both, one after the other.
#
# usage: peers.sh BENCH_CONV BENCH_ONEDNN
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
for round in $(seq "${ROUNDS:-3}"); do
    echo "round $round" >&2
    "$1" --plain | sed "s/^/$round\tours\t/" >>"$log"
    "$2" | sed "s/^/$round\toneDNN\t/" >>"$log"
done
here=$(dirname "$0")
awk -F '\t' -f "$here/median.awk" -f "$here/peers.awk" "$log"
