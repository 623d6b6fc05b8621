/* html.h - the parts of a page. Text is escaped; everything else in the page is made here. */
#ifndef EXP_HTML_H
#define EXP_HTML_H

#include <stdio.h>

#include "chart.h"

/* The head of a page that needs nothing but itself, and its end. */
void exp_html_begin(FILE *page, const char *title);
void exp_html_end(FILE *page);

/* Text as it may stand anywhere in a page, between tags or in an attribute's double quotes. */
void exp_html_text(FILE *page, const char *text);

/* The same, made as by printf. */
void exp_html_format(FILE *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <tag>text</tag> with text made as by printf; behind the tag's name may stand attributes. */
void exp_html_element(FILE *page, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The drawing in an SVG file of gnuplot's, to be read on any width of page; the file's name sets its identifiers apart from
 * those of the page's other pictures. NN_EFILE where it cannot be read, NN_EFORMAT where it is no whole picture or more than
 * one (svg.h). */
nn_status exp_html_picture(FILE *page, const char *svg, nn_error *error);

/* A PNG file as a part of the page, with a text for those who cannot see it. NN_EFILE where it cannot be read, NN_EFORMAT
 * where it is none. */
nn_status exp_html_image(FILE *page, const char *png, const char *text, nn_error *error);

/* A color and a name for each series of a chart. */
void exp_html_legend(FILE *page, const exp_chart *chart);

#endif
