/* shapes.c - the built-in data set: ten classes of drawn shapes, made when asked for.
 *
 * A shape of any size, place, rotation and color lies on a background with a gradient, a soft texture,
 * clutter and noise, so that single pixels tell next to nothing about the class. Every class looks the same
 * in a mirror.
 *
 * Image i of a split is a pure function of (split, i): its random numbers are a stream of their own, and it
 * is drawn with + - * / and sqrt in double precision only, which IEEE 754 rounds the same way on every
 * machine. */
#include <math.h>
#include <string.h>

#include "sources.h"

enum { SIDE = 32, CHANNELS = 3, IMAGE = SIDE * SIDE * CHANNELS, CLASSES = 10, TRAIN = 20000, TEST = 4000 };

typedef struct color {
    double value[CHANNELS]; /* 0..255 */
} color;

typedef color canvas[SIDE][SIDE];

/* The shapes: how far (x, y) is outside of the outline, negative inside; exact near the outline but for
 * corners. No point of a shape is farther than `reach` from the center. */
static const double reach = 1.2;

static double disc(double x, double y, double radius) {
    return sqrt(x * x + y * y) - radius;
}

static double box(double x, double y, double half_width, double half_height) {
    return fmax(fabs(x) - half_width, fabs(y) - half_height);
}

static double circle(double x, double y) {
    return disc(x, y, 0.9);
}

static double ring(double x, double y) {
    return fabs(disc(x, y, 0.75)) - 0.2;
}

static double square(double x, double y) {
    return box(x, y, 0.75, 0.75);
}

/* Equilateral: within three lines at distance 1/2 of the center. */
static double triangle(double x, double y) {
    const double half_root3 = 0.8660254037844386;
    return fmax(-y, half_root3 * fabs(x) + 0.5 * y) - 0.5;
}

/* The five-pointed star: the points outside of at most one of the lines that its five edges lie on. So the
 * distance is the second largest of the five to the lines. */
static double star(double x, double y) {
    const double normals[5][2] = {{0, -1},
                                  {0.9510565162951535, -0.3090169943749475},
                                  {0.5877852522924731, 0.8090169943749475},
                                  {-0.5877852522924731, 0.8090169943749475},
                                  {-0.9510565162951535, -0.3090169943749475}};
    double largest = -INFINITY, second = -INFINITY;
    for (int i = 0; i < 5; i++) {
        double d = normals[i][0] * x + normals[i][1] * y;
        second = fmax(second, fmin(d, largest));
        largest = fmax(largest, d);
    }
    return second - 0.3090169943749475;
}

static double cross(double x, double y) {
    return fmin(box(x, y, 0.95, 0.28), box(x, y, 0.28, 0.95));
}

/* Three parallel bars. */
static double stripes(double x, double y) {
    return fmin(box(x, y, 0.17, 0.75), box(fabs(x) - 0.62, y, 0.17, 0.75));
}

/* A board of 3 x 3 fields, the corners and the middle filled. */
static double checker(double x, double y) {
    return fmin(box(x, y, 0.28, 0.28), box(fabs(x) - 0.56, fabs(y) - 0.56, 0.28, 0.28));
}

static double crescent(double x, double y) {
    return fmax(disc(x, y, 0.95), -disc(x - 0.5, y, 0.8));
}

static double arrow(double x, double y) {
    const double head = fmax(0.05 - y, 0.7 * fabs(x) + 0.7 * y - 0.66);
    return fmin(head, box(x, y + 0.4, 0.22, 0.55));
}

static const struct {
    const char *name;
    double (*distance)(double x, double y);
} shapes[CLASSES] = {
    {"circle", circle}, {"ring", ring},       {"square", square},   {"triangle", triangle}, {"star", star},
    {"cross", cross},   {"stripes", stripes}, {"checker", checker}, {"crescent", crescent}, {"arrow", arrow},
};

static double between(nn_stream *stream, double low, double high) {
    return low + (high - low) * nn_random_uniform(stream);
}

static color random_color(nn_stream *stream) {
    color result;
    for (int c = 0; c < CHANNELS; c++)
        result.value[c] = between(stream, 0, 255);
    return result;
}

static double brightness(color a) {
    return 0.3 * a.value[0] + 0.6 * a.value[1] + 0.1 * a.value[2];
}

static double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

static color blend(color a, color b, double part_of_b) {
    for (int c = 0; c < CHANNELS; c++)
        a.value[c] += part_of_b * (b.value[c] - a.value[c]);
    return a;
}

/* A unit vector in any direction, without sin and cos. */
static void random_direction(nn_stream *stream, double *x, double *y) {
    double square_length;
    do {
        *x = between(stream, -1, 1);
        *y = between(stream, -1, 1);
        square_length = *x * *x + *y * *y;
    } while (square_length > 1 || square_length < 0.01);
    *x /= sqrt(square_length);
    *y /= sqrt(square_length);
}

/* From one color to the other in a random direction, and a soft texture over it: random brightness on a
 * coarse grid, interpolated. */
static void draw_background(canvas picture, color from, color to, nn_stream *stream) {
    enum { CELL = 8, NODES = SIDE / CELL + 1 };
    double texture[NODES][NODES];
    const double strength = between(stream, 0, 40);
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++)
            texture[i][j] = between(stream, -strength, strength);
    double dx, dy;
    random_direction(stream, &dx, &dy);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const double along = dx * (x - SIDE / 2) + dy * (y - SIDE / 2);
            picture[y][x] = blend(from, to, clamp(0.5 + along / SIDE, 0, 1));
            const double right = (double)(x % CELL) / CELL, down = (double)(y % CELL) / CELL;
            const double *above = texture[y / CELL], *below = texture[y / CELL + 1];
            const double top = above[x / CELL] + right * (above[x / CELL + 1] - above[x / CELL]);
            const double bottom = below[x / CELL] + right * (below[x / CELL + 1] - below[x / CELL]);
            for (int c = 0; c < CHANNELS; c++)
                picture[y][x].value[c] += top + down * (bottom - top);
        }
}

/* Lays `ink` over the picture where the shape is, as far as it covers each pixel. Centre and radius in
 * pixels; (ux, uy) is where the shape's x axis points; its y axis is `squeeze` times as long. */
static void draw_shape(canvas picture, double (*distance)(double, double), double center_x, double center_y,
                       double radius, double ux, double uy, double squeeze, color ink) {
    const double extent = reach * radius + 1;
    const int first_x = (int)clamp(center_x - extent, 0, SIDE);
    const int first_y = (int)clamp(center_y - extent, 0, SIDE);
    const int last_x = (int)clamp(center_x + extent + 1, 0, SIDE);
    const int last_y = (int)clamp(center_y + extent + 1, 0, SIDE);
    for (int y = first_y; y < last_y; y++)
        for (int x = first_x; x < last_x; x++) {
            const double px = (x + 0.5 - center_x) / radius, py = (y + 0.5 - center_y) / radius;
            const double outside = distance(px * ux + py * uy, (py * ux - px * uy) / squeeze) * radius;
            picture[y][x] = blend(picture[y][x], ink, clamp(0.5 - outside, 0, 1));
        }
}

static double speck(double x, double y) {
    return disc(x, y, 1);
}

static double scratch(double x, double y) {
    return box(x, y, 1, 0.15);
}

/* Specks and scratches, smaller and fainter than any shape. */
static void draw_clutter(canvas picture, color background, nn_stream *stream) {
    const uint32_t pieces = nn_random_below(stream, 11);
    for (uint32_t i = 0; i < pieces; i++) {
        const double strength = between(stream, 0.3, 0.8);
        const color ink = blend(background, random_color(stream), strength);
        const double x = between(stream, 0, SIDE), y = between(stream, 0, SIDE);
        double ux, uy;
        random_direction(stream, &ux, &uy);
        if (nn_random_below(stream, 2))
            draw_shape(picture, speck, x, y, between(stream, 0.7, 2.5), ux, uy, 1, ink);
        else
            draw_shape(picture, scratch, x, y, between(stream, 2, 6), ux, uy, 1, ink);
    }
}

/* Rounds to bytes, with noise of a triangular distribution: the sum of two 5-bit numbers for each value. */
static void add_noise(canvas picture, nn_stream *stream, unsigned char *pixels) {
    const double strength = between(stream, 4, 44) / 31;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint32_t bits = nn_random_bits(stream);
            for (int c = 0; c < CHANNELS; c++, bits >>= 10) {
                const int noise = (int)(bits & 31) + (int)(bits >> 5 & 31) - 31;
                *pixels++ = (unsigned char)(clamp(picture[y][x].value[c] + strength * noise, 0, 255) + 0.5);
            }
        }
}

static void draw_image(int label, nn_stream *stream, unsigned char *pixels) {
    canvas picture;
    const color from = random_color(stream);
    const color to = blend(from, random_color(stream), 0.35);
    draw_background(picture, from, to, stream);
    draw_clutter(picture, blend(from, to, 0.5), stream);

    color ink;
    do
        ink = random_color(stream);
    while (fabs(brightness(ink) - brightness(from)) < 40 || fabs(brightness(ink) - brightness(to)) < 40);
    const double radius = between(stream, 7, 13);
    const double x = between(stream, radius, SIDE - radius), y = between(stream, radius, SIDE - radius);
    const double squeeze = between(stream, 0.75, 1);
    double ux, uy;
    random_direction(stream, &ux, &uy);
    draw_shape(picture, shapes[label].distance, x, y, radius, ux, uy, squeeze, ink);
    add_noise(picture, stream, pixels);
}

static nn_status draw_split(const char *name, int count, const data_set *set, data_split *split,
                            nn_error *error) {
    nn_status status = data_split_new(set, split, count, error);
    if (status != NN_OK)
        return status;
#pragma omp parallel for
    for (int i = 0; i < count; i++) {
        nn_stream stream = nn_stream_named((uint64_t)i, name);
        split->labels[i] = (unsigned char)(i % CLASSES);
        draw_image(split->labels[i], &stream, split->pixels + (size_t)i * IMAGE);
    }
    return NN_OK;
}

nn_status data_load_shapes(const char *root, data_set *set, nn_error *error) {
    (void)root;
    strcpy(set->source, "built in");
    set->height = set->width = SIDE;
    set->channels = CHANNELS;
    const char *names[CLASSES];
    for (int i = 0; i < CLASSES; i++)
        names[i] = shapes[i].name;
    nn_status status = data_name_classes(set, names, CLASSES, error);
    if (status == NN_OK)
        status = draw_split("shapes/train", TRAIN, set, &set->train, error);
    if (status == NN_OK)
        status = draw_split("shapes/test", TEST, set, &set->test, error);
    return status;
}

bool data_present_shapes(const char *root) {
    (void)root;
    return true;
}
