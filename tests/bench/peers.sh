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
awk -F '\t' '
function median(n,    i, j, x) {
    for (i = 2; i <= n; i++) {
        x = list[i]
        for (j = i - 1; j > 0 && list[j] > x; j--)
            list[j + 1] = list[j]
        list[j + 1] = x
    }
    return (list[int((n + 1) / 2)] + list[int((n + 2) / 2)]) / 2
}
{
    work = sprintf("%-24s %-17s", $3, $4)
    if (!(work in known)) {
        known[work]
        name[++names] = work
    }
    ms[work, $2, $1] = $5
    rounds = $1
}
END {
    printf "%-42s %9s %9s  %s\n", "layer, pass (batch 128)", "ours, ms", "oneDNN", "ours / oneDNN (range)"
    for (i = 1; i <= names; i++) {
        for (r = 1; r <= rounds; r++)
            list[r] = ms[name[i], "ours", r]
        ours = median(rounds)
        for (r = 1; r <= rounds; r++)
            list[r] = ms[name[i], "oneDNN", r]
        theirs = median(rounds)
        for (r = 1; r <= rounds; r++)
            list[r] = ms[name[i], "ours", r] / ms[name[i], "oneDNN", r]
        middle = median(rounds)
        printf "%s %9.2f %9.2f  %.2f (%.2f-%.2f)\n", name[i], ours, theirs, middle, list[1], list[rounds]
    }
}' "$log"
