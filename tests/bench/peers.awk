# The table of peers.sh, from lines "ROUND<tab>ours|oneDNN<tab>LAYER<tab>PASS<tab>MILLISECONDS"; with median.awk.

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
}
