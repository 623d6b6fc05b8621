/* cells.h - numbers in the tables of a report, checked against those that they should be. */
#ifndef TEST_CELLS_H
#define TEST_CELLS_H

#include <stdbool.h>

enum { CELLS_MAX = 10, CELLS_TEXT = 96 };

/* The texts of the cells of the row at `row`, without tags, and how many there are. */
int cells_read(const char *row, char cells[CELLS_MAX][CELLS_TEXT]);

/* Fails unless the text is `wanted` with so many decimals, as near as that can be. `sign`: + stands before what is not
 * negative. */
void cells_number(const char *what, const char *text, double wanted, int decimals, bool sign);

/* Two pairs a - b: their mean difference and its 95% interval. */
typedef struct cells_interval {
    double mean, low, high;
} cells_interval;
cells_interval cells_pairs(double a1, double b1, double a2, double b2);

/* Fails unless the text is this difference with its interval. */
void cells_difference(const char *what, const char *text, cells_interval wanted, int decimals);

#endif
