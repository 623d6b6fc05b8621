/* sheet.h - many small images as one PNG file. */
#ifndef EXP_GAN_SHEET_H
#define EXP_GAN_SHEET_H

#include "framework/framework.h"

typedef struct exp_gan_sheet {
    const float *images; /* [count][height][width][channels], -1 (black) to 1 */
    int count, columns;
    int height, width, channels; /* 1: grey, 3: colors */
    int scale;                   /* side of a pixel */
} exp_gan_sheet;

/* Writes FOLDER/NAME, whole or not at all. */
nn_status exp_gan_sheet_write(const exp_gan_sheet *sheet, const char *folder, const char *name,
                              nn_error *error);

#endif
