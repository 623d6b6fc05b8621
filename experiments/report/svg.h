/* svg.h - whether an SVG file is a picture and nothing else.
 *
 * The page takes pictures in as they are, those too that lie in the folders of runs, which may be anyone's. SVG can hold
 * programs, documents and addresses; taken in here is what gnuplot's pictures are made of. */
#ifndef EXP_REPORT_SVG_H
#define EXP_REPORT_SVG_H

#include <stdbool.h>

/* Whether `text`, from its "<svg" on, is one element <svg> with drawing elements only, whose attributes are quoted, handle no
 * events and refer to nothing but what is in the picture and to PNG images written out in it; without comments and the like. */
bool exp_svg_is_picture(const char *text);

/* What gnuplot has to say of its own pictures, in elements <title> and <desc>, is no part of them, whatever is in it: past those
 * that begin at `at`, which is `at` itself where none does. */
const char *exp_svg_skip_words(const char *at);

#endif
