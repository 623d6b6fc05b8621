#include "cells.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

void cells_number(const char *what, const char *text, double wanted, int decimals, bool sign) {
    char *end;
    double value = strtod(text, &end);
    const char *point = strchr(text, '.');
    if (end == text || !point || (int)strspn(point + 1, "0123456789") != decimals)
        fail_msg("%s: '%s' has not %d decimals", what, text, decimals);
    if (sign && text[0] != '+' && text[0] != '-')
        fail_msg("%s: '%s' has no sign", what, text);
    if (!(fabs(value - wanted) <= 0.5 * pow(10, -decimals) + 1e-7))
        fail_msg("%s: '%s' should be %.9g", what, text, wanted);
}

/* With one degree of freedom Student's t is Cauchy's, whose quantile is a tangent. */
cells_interval cells_pairs(double a1, double b1, double a2, double b2) {
    double d1 = a1 - b1, d2 = a2 - b2, mean = (d1 + d2) / 2;
    double half = tan((0.975 - 0.5) * 3.14159265358979323846) * fabs(d1 - d2) / 2; /* deviation / sqrt(2) */
    return (cells_interval){mean, mean - half, mean + half};
}

int cells_read(const char *row, char cells[CELLS_MAX][CELLS_TEXT]) {
    const char *end = strstr(row, "</tr>");
    int count = 0;
    for (const char *at = row; (at = strstr(at, "<td>")) && at < end;) {
        assert_true(count < CELLS_MAX);
        char *out = cells[count++];
        size_t length = 0;
        const char *close = strstr(at, "</td>");
        for (at += 4; at < close; at++) {
            if (*at == '<')
                at = strchr(at, '>');
            else if (length < CELLS_TEXT - 1)
                out[length++] = *at;
        }
        out[length] = '\0';
    }
    return count;
}

void cells_difference(const char *what, const char *text, cells_interval d, int decimals) {
    char mean[32], low[32], high[32];
    if (sscanf(text, "%31[-+0-9.] [%31[-+0-9.], %31[-+0-9.]]", mean, low, high) != 3)
        fail_msg("%s: '%s' is no difference with its interval", what, text);
    cells_number(what, mean, d.mean, decimals, true);
    cells_number(what, low, d.low, decimals, true);
    cells_number(what, high, d.high, decimals, true);
}
