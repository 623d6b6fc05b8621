/* transform.h - images in memory, as values 0..1, made over: other sizes and channels, turned, blurred, noisy.
 *
 * Images are [height][width][channels]. Where a transformation asks for a value beyond the border it gets the nearest one on
 * the border: black corners would give away by themselves that an image was turned. */
#ifndef EXP_OUTLIERS_TRANSFORM_H
#define EXP_OUTLIERS_TRANSFORM_H

#include "framework/framework.h"

typedef struct exp_image_form {
    int height, width, channels;
} exp_image_form;

/* Values of an image of the form. */
size_t exp_image_size(exp_image_form form);

/* Whether exp_image_convert can: channels are the same, or 1 and 3. */
bool exp_image_convertible(exp_image_form from, exp_image_form to);

/* Another form of an image. Gray to color: three times the same; color to gray: 0.299 R + 0.587 G + 0.114 B (ITU-R
 * BT.601). Another size: each output pixel is a weighted mean around its place, the weights falling linearly to 0 over
 * the distance of one pixel of the coarser grid of the two, which is bilinear interpolation where it grows and does not
 * skip pixels where it shrinks; height and width for themselves. NN_EMEMORY. */
nn_status exp_image_convert(exp_image_form from, const float *image, exp_image_form to, float *out,
                            nn_error *error);

/* Turned counterclockwise about its middle, by bilinear interpolation; multiples of 90 degrees of square images move
 * pixels and change none. */
void exp_image_rotate(exp_image_form form, const float *image, double degrees, float *out);

/* Blurred by a Gaussian of standard deviation sigma, in pixels, above 0 and at most 20; cut off at three of them. scratch: another image. */
void exp_image_blur(exp_image_form form, const float *image, double sigma, float *scratch, float *out);

/* Normal noise of standard deviation sigma added to every value, and cut to 0..1. */
void exp_image_add_noise(exp_image_form form, const float *image, double sigma, nn_stream *stream,
                         float *out);

#endif
