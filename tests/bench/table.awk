# The table of pairs.sh, from lines "ROUND NAME ours|PyTorch ms=... min=... max=... mib=... gflop=..." and one
# "0 peak machine gflops=..."; with median.awk.

$2 == "peak" {
    peak = substr($4, 8)
    next
}

{
    for (i = 4; i <= NF; i++) {
        split($i, pair, "=")
        value[$1, $2, $3, pair[1]] = pair[2]
    }
    if (!($2 in known)) {
        known[$2]
        name[++names] = $2
    }
    if ($1 > rounds)
        rounds = $1
}

function collect(work, who, field,    r, n) {
    for (r = 1; r <= rounds; r++)
        if ((r, work, who, field) in value)
            list[++n] = value[r, work, who, field]
    return median(n)
}

# The median and range over the rounds of one time over another.
function ratio(work, who, base, base_who,    r, n, middle) {
    for (r = 1; r <= rounds; r++)
        if ((r, work, who, "ms") in value && (r, base, base_who, "ms") in value)
            list[++n] = value[r, work, who, "ms"] / value[r, base, base_who, "ms"]
    middle = median(n)
    return n ? sprintf("%.2f (%.2f-%.2f)", middle, list[1], list[n]) : "-"
}

function number(format, x) {
    return x == "-" ? x : sprintf(format, x)
}

function rate(gflop, ms) {
    return gflop > 0 && ms != "-" ? sprintf("%.0f", 1e3 * gflop / ms) : "-"
}

function share(gflop, ms) {
    return gflop > 0 && ms != "-" && peak > 0 ? sprintf("%.0f%%", 1e5 * gflop / ms / peak) : "-"
}

# What is added to a step, where both were timed.
function cost(who, work, base, what,    x) {
    x = ratio(work, who, base, who)
    if (x != "-")
        printf "%-66s %s  %s\n", what, x, who
}

END {
    printf "measured peak: %s GFLOP/s\n\n", peak
    printf "%-22s %9s %9s  %-17s %22s %15s\n", "", "ours", "PyTorch", "ours / PyTorch", "GFLOP/s (of peak)", "peak MiB"
    printf "%-22s %9s %9s  %-17s %22s %15s\n", "work", "ms", "ms", "(range)", "ours, PyTorch", "ours, PyTorch"
    for (i = 1; i <= names; i++) {
        work = name[i]
        ours = collect(work, "ours", "ms")
        theirs = collect(work, "PyTorch", "ms")
        gflop = collect(work, "ours", "gflop")
        printf "%-22s %9s %9s  %-17s %5s %5s %5s %4s %8s %6s\n", work, number("%.1f", ours), number("%.1f", theirs), \
            ratio(work, "ours", work, "PyTorch"), rate(gflop, ours), share(gflop, ours), \
            rate(gflop, theirs), share(gflop, theirs), \
            number("%.0f", collect(work, "ours", "mib")), number("%.0f", collect(work, "PyTorch", "mib"))
    }
    print "\nGFLOP by the formulas: Winograd convolution does fewer. Ratios of times within a round, median (range):"
    cost("ours", "resnet20-snnl", "resnet20-train", "ResNet-20 step with SNNL at its 9 blocks, T = 100 / without:")
    cost("PyTorch", "resnet20-snnl", "resnet20-train", "ResNet-20 step with SNNL at its 9 blocks, T = 100 / without:")
    cost("ours", "resnet20-snnl-optimal", "resnet20-train", "ResNet-20 step with SNNL at its 9 blocks, optimal T / without:")
    cost("ours", "end-to-end", "resnet20-train", "./train --preset cifar_resnet, time of a step / the step alone:")
}
