# Sorts list[1..n] and gives its median, - for an empty one.
function median(n,    i, j, x) {
    for (i = 2; i <= n; i++) {
        x = list[i]
        for (j = i - 1; j > 0 && list[j] > x; j--)
            list[j + 1] = list[j]
        list[j + 1] = x
    }
    return n ? (list[int((n + 1) / 2)] + list[int((n + 2) / 2)]) / 2 : "-"
}
