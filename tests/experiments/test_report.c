/* The report that ./reproduce leaves, read as a browser and as a reader does: markup, what it refers to, and every number
 * against results.csv and taps.csv. */
#define _GNU_SOURCE /* memmem */
#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/program.h"

#define RUN "preset = mnist_cnn\nmodel = mlp\nlr = 0.003\n"

static void write_study(const char *path, const char *text) {
    test_file(path, text, strlen(text));
}

static char *report_of(const char *out) {
    char path[128];
    snprintf(path, sizeof path, "%s/report.html", out);
    return program_file(path);
}

/* OUT as set_up leaves it: two studies, done. */
static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    write_study("numbers.ini",
                "title = Numbers & <their> \"pairs\"\nabout = Is 1 < 2?\npaper = Nothing of <this>.\n"
                "findings = yes\nreliability = yes\n"
                "[grid]\n" RUN "log-every = 0\nsteps = 12\nbatch = 10 | 20\n"
                "snnl-weight = 0 | 0.1\nseed = 1 | 2\n");
    write_study("layers.ini", "title = Layers\ncurves = yes\n"
                              "[logged]\n" RUN "log-every = 1\nsteps = 12\nbatch = 20\n"
                              "snnl-weight = 0 | 0.2 | -0.2\nseed = 3 | 4\n"
                              "[silent]\n" RUN "log-every = 0\nsteps = 2\nbatch = 30\n");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --study layers.ini --out out --threads 1 "
                                              "--quiet --note it's<b>&\"so\""),
                     0);
    program_said(program_output, "report: out/report.html\n");
    return 0;
}

/* --- markup --------------------------------------------------------------------------------------------- */

enum { DEPTH = 64, NAME = 32, IDS = 20000 };

typedef struct markup {
    const char *at;
    int depth, id_count, reference_count;
    char open[DEPTH][NAME];
    const char *ids[IDS], *references[IDS]; /* in the page, up to a quote */
} markup;

static void broken(const markup *m, const char *what) {
    fail_msg("%s at '%.60s'", what, m->at);
}

static bool is_void(const char *name) {
    static const char *const names[] = {"area",  "base", "br",   "col",    "embed", "hr", "img",
                                        "input", "link", "meta", "source", "track", "wbr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool begins(const char *text, const char *part) {
    return strncmp(text, part, strlen(part)) == 0;
}

/* What a browser would fetch or run; names of namespaces are neither. */
static void check_attribute(markup *m, const char *name, const char *value, size_t length) {
    bool namespace = begins(name, "xmlns");
    bool refers = strcmp(name, "href") == 0 || strcmp(name, "xlink:href") == 0;
    if (begins(name, "on") || strcmp(name, "src") == 0 || strcmp(name, "srcset") == 0 ||
        strcmp(name, "style") == 0)
        broken(m, "an attribute that does something");
    if (memmem(value, length, "://", 3) && !namespace)
        broken(m, "an address");
    if (strcmp(name, "id") == 0) {
        assert_true(m->id_count < IDS);
        m->ids[m->id_count++] = value;
    }
    const char *local = refers ? value : memmem(value, length, "url(", 4);
    if (!local)
        return;
    local += refers ? 0 : 4;
    if (*local != '#')
        broken(m, "a reference to something else");
    assert_true(m->reference_count < IDS);
    m->references[m->reference_count++] = local + 1;
}

/* The attributes of a tag, up to its '>'. Returns whether it ends itself, as elements of SVG may. */
static bool read_attributes(markup *m) {
    for (;;) {
        char name[NAME] = "";
        m->at += strspn(m->at, " \n\t");
        if (*m->at == '>' || begins(m->at, "/>")) {
            bool itself = *m->at == '/';
            m->at += 1 + itself;
            return itself;
        }
        size_t length = strcspn(m->at, "= \n\t>/\"'<");
        if (length == 0 || length >= NAME)
            broken(m, "no attribute");
        snprintf(name, sizeof name, "%.*s", (int)length, m->at);
        m->at += length;
        if (*m->at != '=')
            continue;
        char quote = *++m->at;
        const char *end = quote == '"' || quote == '\'' ? strchr(m->at + 1, quote) : NULL;
        if (!end)
            broken(m, "a value without quotes");
        if (memchr(m->at, '<', (size_t)(end - m->at)))
            broken(m, "a value with <");
        check_attribute(m, name, m->at + 1, (size_t)(end - m->at) - 1);
        m->at = end + 1;
    }
}

static void read_tag(markup *m) {
    bool closing = m->at[1] == '/';
    const char *begin = m->at + 1 + closing;
    char name[NAME];
    int length = (int)strcspn(begin, " \n\t/>");
    if (length == 0 || length >= NAME || !isalpha((unsigned char)*begin))
        broken(m, "no tag");
    snprintf(name, sizeof name, "%.*s", length, begin);
    static const char *const unwanted[] = {"script", "iframe", "object", "link",
                                           "img",    "form",   "base",   "image"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        if (strcmp(name, unwanted[i]) == 0)
            broken(m, "an element that a report does not need");
    if (closing) {
        if (m->depth == 0 || strcmp(m->open[m->depth - 1], name) != 0)
            broken(m, "an end of something else");
        m->depth--;
        m->at = begin + length;
        if (*m->at++ != '>')
            broken(m, "no end of an end");
        return;
    }
    m->at = begin + length;
    bool itself = read_attributes(m), drawn = strcmp(name, "svg") == 0;
    for (int i = 0; i < m->depth; i++)
        drawn |= strcmp(m->open[i], "svg") == 0;
    if (itself && !drawn && !is_void(name))
        broken(m, "an element of HTML that is said to end itself");
    if (itself || is_void(name))
        return;
    assert_true(m->depth < DEPTH);
    strcpy(m->open[m->depth++], name);
    if (strcmp(name, "style") == 0) {
        const char *end = strstr(m->at, "</style>");
        assert_non_null(end);
        if (memmem(m->at, (size_t)(end - m->at), "url(", 4) ||
            memmem(m->at, (size_t)(end - m->at), "@import", 7))
            broken(m, "a style from elsewhere");
        m->at = end;
    }
}

static void check_entity(markup *m) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&minus;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (begins(m->at, known[i]))
            return;
    broken(m, "a lone &");
}

static size_t value_length(const char *value) {
    return strcspn(value, "\"')");
}

static bool same_value(const char *a, const char *b) {
    size_t length = value_length(a);
    return length == value_length(b) && memcmp(a, b, length) == 0;
}

static void check_references(const markup *m) {
    for (int i = 0; i < m->id_count; i++)
        for (int k = 0; k < i; k++)
            if (same_value(m->ids[i], m->ids[k]))
                fail_msg("twice the identifier '%.40s'", m->ids[i]);
    for (int i = 0; i < m->reference_count; i++) {
        if (i > 0 && same_value(m->references[i], m->references[i - 1]))
            continue; /* many dots */
        bool found = false;
        for (int k = 0; k < m->id_count && !found; k++)
            found = same_value(m->references[i], m->ids[k]);
        if (!found)
            fail_msg("nothing is called '%.40s'", m->references[i]);
    }
}

/* Fails unless everything that is opened is closed in its order, and nothing outside the page is referred to. */
static void check_page(const char *page) {
    markup *m = test_bytes(sizeof *m);
    *m = (markup){.at = page};
    assert_true(begins(page, "<!doctype html>\n"));
    m->at += strlen("<!doctype html>");
    while (*m->at) {
        unsigned char byte = (unsigned char)*m->at;
        if (byte == '<')
            read_tag(m);
        else {
            if (byte == '&')
                check_entity(m);
            if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
                broken(m, "a control byte");
            if (m->depth == 0 && byte != '\n')
                broken(m, "text outside");
            m->at++;
        }
    }
    assert_int_equal(m->depth, 0);
    check_references(m);
    free(m);
}

static void a_whole_page(void **state) {
    (void)state;
    char *page = report_of("out");
    check_page(page);
    program_said(page, "<h2>Numbers &amp; &lt;their&gt; &quot;pairs&quot;</h2>\n<p>Is 1 &lt; 2?</p>\n"
                       "<p class=\"paper\">The paper: Nothing of &lt;this&gt;.</p>\n");
    program_said(page,
                 "<h3>grid: mlp on mnist</h3>\n<p class=\"soft\">120 training examples, 12 steps, batches of "
                 "10 to 20; 2 seeds.</p>\n");
    program_said(page, "<h2>Points in the plane</h2>");
    program_said(page, " 15 of 15 trainings are done.</p>\n");
    program_said(page, "Data: mnist (120 training and 50 test images were used; checksum ");
    /* the command line, as a shell would take it */
    program_said(
        page, "<pre>./reproduce --study numbers.ini --study layers.ini --out out --threads 1 --quiet --note "
              "'it'\\''s&lt;b&gt;&amp;&quot;so&quot;'</pre>");
    free(page);
}

/* What is said first: the title, then what there is to know about the data. */
static void expect_first(const char *page, const char *wanted) {
    static const char title[] = "<h1>Entanglement, measured and trained</h1>\n";
    const char *at = strstr(page, title);
    assert_non_null(at);
    if (!begins(at + strlen(title), wanted))
        fail_msg("the report begins '%.300s'", at);
}

static void a_note(void **state) {
    (void)state;
    char *page = report_of("out");
    expect_first(page,
                 "<p class=\"notice\">it's&lt;b&gt;&amp;&quot;so&quot;</p>\n<p>A reproduction, at the size "
                 "'default', of ");
    free(page);
}

/* --- tables of results ---------------------------------------------------------------------------------- */

typedef struct record {
    char block[32], run[192], layers[64], status[16];
    double batch, weight, seed, train_accuracy, accuracy, cross_entropy, ece;
} record;

enum { RECORDS = 64 };

static int column_of(const char *header, const char *name) {
    size_t length = strlen(name);
    int column = 0;
    for (const char *at = header;; at++, column++) {
        if (strncmp(at, name, length) == 0 && strchr(",\n", at[length]))
            return column;
        at = strpbrk(at, ",\n");
        if (!at || *at == '\n')
            fail_msg("there is no column %s", name);
    }
}

/* Field `column` of a line without quotes. */
static const char *field(const char *line, int column, char text[192]) {
    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    snprintf(text, 192, "%.*s", (int)strcspn(line, ",\n"), line);
    return text;
}

static double number(const char *header, const char *line, const char *name) {
    char text[192];
    field(line, column_of(header, name), text);
    return text[0] ? strtod(text, NULL) : NAN;
}

static int read_results(const char *out, record records[RECORDS]) {
    char path[128], text[192];
    int count = 0;
    snprintf(path, sizeof path, "%s/results.csv", out);
    char *file = program_file(path);
    for (const char *line = strchr(file, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        record *r = &records[count++];
        snprintf(r->block, sizeof r->block, "%.31s", field(line, column_of(file, "block"), text));
        snprintf(r->run, sizeof r->run, "%s", field(line, column_of(file, "run"), text));
        snprintf(r->status, sizeof r->status, "%.15s", field(line, column_of(file, "status"), text));
        r->batch = number(file, line, "batch");
        r->weight = number(file, line, "snnl_weight");
        r->seed = number(file, line, "seed");
        r->train_accuracy = number(file, line, "train_accuracy");
        r->accuracy = number(file, line, "test_accuracy");
        r->cross_entropy = number(file, line, "test_cross_entropy");
        r->ece = number(file, line, "test_ece");
        assert_true(count < RECORDS);
    }
    free(file);
    return count;
}

static const record *find(const record *records, int count, const char *block, double batch, double weight,
                          double seed) {
    for (int i = 0; i < count; i++)
        if (strcmp(records[i].block, block) == 0 && records[i].batch == batch &&
            records[i].weight == weight && records[i].seed == seed)
            return &records[i];
    fail_msg("no run of [%s] with batch %g, weight %g, seed %g", block, batch, weight, seed);
    return NULL;
}

/* Text of a number with so many decimals: as near as that can be. `sign`: + stands before what is not negative. */
static void expect_number(const char *what, const char *text, double wanted, int decimals, bool sign) {
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

/* --- numbers of the page -------------------------------------------------------------------------------- */

/* Two pairs: their mean difference and its 95% interval. With one degree of freedom Student's t is Cauchy's, whose
 * quantile is a tangent. */
typedef struct difference {
    double mean, low, high;
} difference;

static difference difference_of(double a1, double b1, double a2, double b2) {
    double d1 = a1 - b1, d2 = a2 - b2, mean = (d1 + d2) / 2;
    double half = tan((0.975 - 0.5) * 3.14159265358979323846) * fabs(d1 - d2) / 2; /* deviation / sqrt(2) */
    return (difference){mean, mean - half, mean + half};
}

enum { COLUMNS = 10 };

/* The texts of the cells of the row at `row`, without tags. Returns how many there are. */
static int cells_of(const char *row, char cells[COLUMNS][96]) {
    const char *end = strstr(row, "</tr>");
    int count = 0;
    for (const char *at = row; (at = strstr(at, "<td>")) && at < end;) {
        assert_true(count < COLUMNS);
        char *out = cells[count++];
        size_t length = 0;
        const char *close = strstr(at, "</td>");
        for (at += 4; at < close; at++) {
            if (*at == '<')
                at = strchr(at, '>');
            else if (length < 95)
                out[length++] = *at;
        }
        out[length] = '\0';
    }
    return count;
}

static void expect_difference(const char *what, const char *cell, difference d, int decimals) {
    char mean[32], low[32], high[32];
    if (sscanf(cell, "%31[-+0-9.] [%31[-+0-9.], %31[-+0-9.]]", mean, low, high) != 3)
        fail_msg("%s: '%s' is no difference with its interval", what, cell);
    expect_number(what, mean, d.mean, decimals, true);
    expect_number(what, low, d.low, decimals, true);
    expect_number(what, high, d.high, decimals, true);
}

/* A condition's row, from the runs of seeds 1 and 2 and theirs at weight 0. */
static void check_row(char cells[COLUMNS][96], const record *a, const record *b, const record *a0,
                      const record *b0) {
    char label[96];
    snprintf(label, sizeof label, "batch %g, snnl-weight %g", a->batch, a->weight);
    assert_string_equal(cells[0], label);
    assert_string_equal(cells[1], "2");
    expect_number("best accuracy", cells[2], 100 * fmax(a->accuracy, b->accuracy), 2, false);
    expect_number("mean accuracy", cells[3], 50 * (a->accuracy + b->accuracy), 2, false);
    expect_number("cross-entropy", cells[5], (a->cross_entropy + b->cross_entropy) / 2, 3, false);
    expect_number("calibration error", cells[7], 50 * (a->ece + b->ece), 2, false);
    expect_number("gap", cells[9], 50 * (a->train_accuracy - a->accuracy + b->train_accuracy - b->accuracy),
                  2, false);
    if (a->weight == 0) {
        assert_true(!cells[4][0] && !cells[6][0] && !cells[8][0]);
        return;
    }
    expect_difference(
        "accuracy", cells[4],
        difference_of(100 * a->accuracy, 100 * a0->accuracy, 100 * b->accuracy, 100 * b0->accuracy), 2);
    expect_difference("cross-entropy", cells[6],
                      difference_of(a->cross_entropy, a0->cross_entropy, b->cross_entropy, b0->cross_entropy),
                      3);
    expect_difference("calibration error", cells[8],
                      difference_of(100 * a->ece, 100 * a0->ece, 100 * b->ece, 100 * b0->ece), 2);
}

static void the_table_of_conditions(void **state) {
    (void)state;
    record records[RECORDS];
    char cells[COLUMNS][96];
    int count = read_results("out", records);
    char *page = report_of("out");
    const char *row = strstr(strstr(page, "<h3>grid: mlp on mnist</h3>"), "<table>");
    row = strstr(row, "</tr>"); /* the heading's */
    for (int batch = 10; batch <= 20; batch += 10)
        for (int weighted = 0; weighted < 2; weighted++) {
            row = strstr(row + 1, "<tr><td>");
            assert_int_equal(cells_of(row, cells), COLUMNS);
            double weight = weighted ? 0.1 : 0;
            check_row(cells, find(records, count, "grid", batch, weight, 1),
                      find(records, count, "grid", batch, weight, 2),
                      find(records, count, "grid", batch, 0, 1), find(records, count, "grid", batch, 0, 2));
        }
    const char *end = strstr(row, "</table>"), *more = strstr(row + 1, "<tr>");
    assert_true(!more || more > end);
    free(page);
}

static const char *verdict_of(difference d) {
    return d.low > 0 ? "higher" : d.high < 0 ? "lower" : "no clear difference";
}

static void check_finding(const char *page, const record *a, const record *b, const record *a0,
                          const record *b0) {
    char begin[128], number_texts[9][32], verdicts[3][32];
    snprintf(begin, sizeof begin,
             "<li>grid, batch %g, snnl-weight 0.1, against weight 0 (2 seeds): ", a->batch);
    const char *at = strstr(page, begin);
    assert_non_null(at);
    assert_null(strstr(at + 1, begin));
#define NUMBER "%31[-+0-9.]"
    int read = sscanf(at + strlen(begin),
                      NUMBER " points of accuracy [" NUMBER ", " NUMBER "], %31[a-z ]; " NUMBER
                             " nats of negative log-likelihood [" NUMBER ", " NUMBER "], %31[a-z ]; " NUMBER
                             " points of calibration error [" NUMBER ", " NUMBER "], %31[a-z ].</li>",
                      number_texts[0], number_texts[1], number_texts[2], verdicts[0], number_texts[3],
                      number_texts[4], number_texts[5], verdicts[1], number_texts[6], number_texts[7],
                      number_texts[8], verdicts[2]);
#undef NUMBER
    assert_int_equal(read, 12);
    const difference d[3] = {
        difference_of(100 * a->accuracy, 100 * a0->accuracy, 100 * b->accuracy, 100 * b0->accuracy),
        difference_of(a->cross_entropy, a0->cross_entropy, b->cross_entropy, b0->cross_entropy),
        difference_of(100 * a->ece, 100 * a0->ece, 100 * b->ece, 100 * b0->ece)};
    for (int i = 0; i < 3; i++) {
        int decimals = i == 1 ? 3 : 2;
        expect_number("mean of a finding", number_texts[3 * i], d[i].mean, decimals, true);
        expect_number("low end of a finding", number_texts[3 * i + 1], d[i].low, decimals, true);
        expect_number("high end of a finding", number_texts[3 * i + 2], d[i].high, decimals, true);
        assert_string_equal(verdicts[i], verdict_of(d[i]));
    }
}

static void findings_of_conditions(void **state) {
    (void)state;
    record records[RECORDS];
    int count = read_results("out", records);
    char *page = report_of("out");
    for (int batch = 10; batch <= 20; batch += 10)
        check_finding(page, find(records, count, "grid", batch, 0.1, 1),
                      find(records, count, "grid", batch, 0.1, 2), find(records, count, "grid", batch, 0, 1),
                      find(records, count, "grid", batch, 0, 2));
    assert_null(strstr(page, "snnl-weight 0, against weight 0"));
    free(page);
}

/* --- layers --------------------------------------------------------------------------------------------- */

typedef struct layer {
    char name[64];
    double weight, snnl;
} layer;

enum { LAYERS = 16 };

static int layers_of(const char *out, const char *run, layer layers[LAYERS]) {
    char path[128], text[192];
    int count = 0;
    snprintf(path, sizeof path, "%s/taps.csv", out);
    char *file = program_file(path);
    for (const char *line = strchr(file, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        if (strcmp(field(line, 0, text), run) != 0)
            continue;
        assert_true(count < LAYERS);
        snprintf(layers[count].name, sizeof layers[count].name, "%.63s", field(line, 1, text));
        layers[count].weight = strtod(field(line, 2, text), NULL);
        layers[count++].snnl = strtod(field(line, 3, text), NULL);
    }
    free(file);
    return count;
}

static double weighted_mean(const layer *weighted, const layer *of, int count) {
    double sum = 0;
    int layers = 0;
    for (int i = 0; i < count; i++)
        if (weighted[i].weight != 0) {
            sum += of[i].snnl;
            layers++;
        }
    assert_true(layers > 0);
    return sum / layers;
}

static void check_plain(const char *page, const char *out, const record *plain) {
    layer layers[LAYERS];
    char first[32], last[32], text[300];
    int count = layers_of(out, plain->run, layers), falls = 0, steps;
    assert_true(count >= 2);
    for (int i = 1; i < count; i++)
        falls += layers[i].snnl < layers[i - 1].snnl;
    const char *at = strstr(page, "<li>Plain mlp on mnist: ");
    assert_non_null(at);
    int said_falls,
        read = sscanf(
            at,
            "<li>Plain mlp on mnist: the test set's SNNL goes from %31[0-9.] in %*s to %31[0-9.] in %*[^,], "
            "and falls in %d of %d steps from layer to layer.</li>",
            first, last, &said_falls, &steps);
    assert_int_equal(read, 4);
    expect_number("first layer", first, layers[0].snnl, 2, false);
    expect_number("last layer", last, layers[count - 1].snnl, 2, false);
    assert_int_equal(said_falls, falls);
    assert_int_equal(steps, count - 1);
    snprintf(text, sizeof text, " in %s to ", layers[0].name);
    program_said(at, text);
    snprintf(text, sizeof text, " in %s, and falls", layers[count - 1].name);
    program_said(at, text);
}

static void check_weighted(const char *page, const char *out, const record *weighted, const record *plain) {
    layer layers[LAYERS], plain_layers[LAYERS];
    char begin[128], name[32], texts[6][32];
    int count = layers_of(out, weighted->run, layers);
    assert_int_equal(layers_of(out, plain->run, plain_layers), count);
    snprintf(begin, sizeof begin,
             "<li>%s at weight %g (mlp, mnist): ", weighted->weight > 0 ? "Entangled" : "Disentangled",
             weighted->weight);
    const char *at = strstr(page, begin);
    if (!at)
        fail_msg("the report does not say '%s'", begin);
    int read =
        sscanf(at + strlen(begin),
               "the weighted layers end at a mean SNNL of %31[0-9.], against %31[0-9.] in the plain network; "
               "%31[^,], the last layer, at %31[0-9.] against %31[0-9.]; test accuracy %31[0-9.]%% against "
               "%31[0-9.]%%.</li>",
               texts[0], texts[1], name, texts[2], texts[3], texts[4], texts[5]);
    assert_int_equal(read, 7);
    assert_string_equal(name, layers[count - 1].name);
    expect_number("weighted layers", texts[0], weighted_mean(layers, layers, count), 2, false);
    expect_number("the plain network's", texts[1], weighted_mean(layers, plain_layers, count), 2, false);
    expect_number("last layer", texts[2], layers[count - 1].snnl, 2, false);
    expect_number("the plain last layer", texts[3], plain_layers[count - 1].snnl, 2, false);
    expect_number("accuracy", texts[4], 100 * weighted->accuracy, 2, false);
    expect_number("the plain accuracy", texts[5], 100 * plain->accuracy, 2, false);
}

static void findings_of_layers(void **state) {
    (void)state;
    record records[RECORDS];
    int count = read_results("out", records);
    char *page = report_of("out");
    check_plain(page, "out", find(records, count, "logged", 20, 0, 3));
    check_weighted(page, "out", find(records, count, "logged", 20, 0.2, 3),
                   find(records, count, "logged", 20, 0, 3));
    check_weighted(page, "out", find(records, count, "logged", 20, -0.2, 3),
                   find(records, count, "logged", 20, 0, 3));
    free(page);
}

/* The mean of both seeds for every layer and weight. */
static void the_table_of_layers(void **state) {
    (void)state;
    static const double weights[] = {0, 0.2, -0.2};
    record records[RECORDS];
    layer layers[2][LAYERS];
    char cells[COLUMNS][96];
    int count = read_results("out", records), layer_count = 0;
    char *page = report_of("out");
    const char *table = strstr(strstr(page, "<h3>logged: mlp on mnist</h3>"), "<table>");
    for (int w = 0; w < 3; w++) {
        for (int s = 0; s < 2; s++)
            layer_count =
                layers_of("out", find(records, count, "logged", 20, weights[w], 3 + s)->run, layers[s]);
        const char *row = table;
        for (int i = 0; i < layer_count; i++) {
            row = strstr(row + 1, "<tr><td>");
            assert_int_equal(cells_of(row, cells), 4);
            assert_string_equal(cells[0], layers[0][i].name);
            expect_number(cells[0], cells[1 + w], (layers[0][i].snnl + layers[1][i].snnl) / 2, 3, false);
        }
    }
    free(page);
}

/* Headings and pictures; what was not logged has a line in the place of its curves. */
static void curves_and_planes(void **state) {
    (void)state;
    char *page = report_of("out");
    program_said(page, "<h3>logged, snnl-weight 0.2, seed 3</h3>\n<div class=\"grid\">\n<figure><svg");
    program_said(page, "<text>Temperature of every layer</text>");
    program_said(
        page, "<h3>silent, snnl-weight 0, seed 1</h3>\n<p class=\"notice\">The curves: left out. out/runs/");
    program_said(page, "no step has been logged yet.</p>\n");
    program_said(page, "<h3>logged in the plane</h3>");
    program_said(page, "<text>pixels</text>");
    program_said(page, ", snnl-weight 0.2</text>"); /* few points: the perplexity is lowered */
    assert_null(strstr(page, ", snnl-weight -0.2</text>"));
    assert_null(strstr(page, "perplexity"));
    program_said(page, "<h3>Reliability diagrams</h3>");
    program_said(page, "<text>Reliability, grid</text>");
    free(page);
}

/* --- half of it ----------------------------------------------------------------------------------------- */

static void move_run(const char *from, const char *to, const record *r) {
    char old[400], new[400];
    snprintf(old, sizeof old, "%s/%s", from, r->run);
    snprintf(new, sizeof new, "%s/%s", to, r->run);
    assert_int_equal(rename(old, new), 0);
}

static int entries_in(const char *folder) {
    int count = 0;
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

/* A half-finished study: what is compared is of one seed, and nothing is trained. */
static void a_half_finished_study(void **state) {
    (void)state;
    record records[RECORDS];
    int count = read_results("out", records);
    const record *plain3 = find(records, count, "logged", 20, 0, 3),
                 *plain4 = find(records, count, "logged", 20, 0, 4);
    const record *weighted3 = find(records, count, "logged", 20, 0.2, 3),
                 *weighted4 = find(records, count, "logged", 20, 0.2, 4);
    mkdir("away", 0777);
    move_run("out/runs", "away", weighted3);
    int runs = entries_in("out/runs");
    static const char line[] = "--study layers.ini --out out --threads 1 --report-only";
    assert_int_equal(program_run("reproduce", line), 0);
    assert_string_equal(program_errors, "");
    assert_int_equal(entries_in("out/runs"), runs);
    char *page = report_of("out");
    check_page(page);
    program_said(page, " 6 of 7 trainings are done.</p>");
    program_said(page, "<p class=\"notice\">5 of 6 runs are done; what follows is of these.</p>");
    check_plain(page, "out", plain3);
    check_weighted(page, "out", weighted4, plain4);
    assert_null(strstr(page, "Numbers &amp;")); /* the other study was not asked for */
    free(page);

    move_run("out/runs", "away", plain4); /* nothing is left to compare with */
    assert_int_equal(program_run("reproduce", line), 0);
    page = report_of("out");
    program_said(page, " 5 of 7 trainings are done.</p>");
    program_said(page, "<li>Plain mlp");
    program_said(page, "<li>Disentangled");
    assert_null(strstr(page, "<li>Entangled"));
    free(page);
    move_run("away", "out/runs", weighted3);
    move_run("away", "out/runs", plain4);
}

static void nothing_is_done(void **state) {
    (void)state;
    assert_int_equal(mkdir("bare", 0777), 0);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out bare --report-only --quick"), 0);
    char *page = report_of("bare");
    check_page(page);
    program_said(page, " at the size 'quick', ");
    program_said(page, " 0 of 8 trainings are done.</p>");
    program_said(page, "<li>None yet: no runs that can be compared are done.</li>");
    program_said(page, "<p class=\"notice\">0 of 8 runs are done.</p>");
    assert_null(strstr(page, "Points in the plane")); /* these would have had to be computed */
    assert_null(strstr(page, "nan"));
    assert_false(program_file_exists("bare/runs") || program_file_exists("bare/toy"));
    free(page);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out bare2 --dry-run"), 0);
    assert_false(program_file_exists("bare2"));
}

static void a_failed_run(void **state) {
    (void)state;
    write_study("failing.ini",
                "findings = yes\n[bad]\npreset = mnist_cnn\nmodel = mlp\nlog-every = 0\nsteps = 20\n"
                "lr = 1e3\noptimizer = sgd\nmomentum = 0.9999\n");
    mkdir("other", 0777);
    assert_int_equal(symlink("../out/toy", "other/toy"), 0); /* drawing the points again would take seconds */
    assert_int_equal(program_run("reproduce", "--study failing.ini --out other --quiet"), 1);
    char *page = report_of("other");
    check_page(page);
    program_said(page, " 0 of 1 trainings are done, and 1 failed.</p>");
    program_said(page, "</td>\n<td>failed</td>");
    free(page);
}

/* --- data that is not there ----------------------------------------------------------------------------- */

#define ABSENT                                                                                               \
    "findings = yes\n[other]\n" RUN "dataset = notmnist\nsteps = 2\nlog-every = 0\ntrain-limit = 100\n"      \
    "test-limit = 50\nsnnl-weight = 0 | 0.1\n"

static void shapes_stand_in(void **state) {
    (void)state;
    static const char notice[] =
        "<p class=\"notice\">The data set notmnist was not there: the built-in drawn shapes "
        "stand in for it. Numbers under its name are of shapes.</p>\n";
    write_study("absent.ini", ABSENT "[here]\n" RUN "steps = 2\nlog-every = 0\n");
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --missing shapes --quiet"), 0);
    char *page = report_of("other");
    check_page(page);
    expect_first(page, notice);
    program_said(
        page, "<h3>other: mlp on shapes</h3>\n<p class=\"notice\">The data set notmnist was not there: the "
              "built-in shapes stand in for it.</p>");
    program_said(page, "<li>other, snnl-weight 0.1, against weight 0 (1 seed): ");
    free(page);

    write_study("absent.ini", ABSENT); /* no data at all: the same without being asked */
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --data nowhere --quiet"), 0);
    page = report_of("other");
    expect_first(page, notice);
    program_said(page, " 2 of 2 trainings are done.</p>");
    program_said(page, "Data: shapes (100 training and 50 test images were used");
    free(page);
}

static void runs_are_left_out(void **state) {
    (void)state;
    write_study("absent.ini", ABSENT "[here]\n" RUN "steps = 2\nlog-every = 0\n");
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --quiet"), 0);
    char *page = report_of("other");
    check_page(page);
    expect_first(page,
                 "<p class=\"notice\">The data set notmnist was not there: its runs are left out.</p>\n");
    program_said(page, " 1 of 1 trainings are done.</p>");
    program_said(
        page, "<h3>other: mlp on notmnist</h3>\n<p class=\"notice\">Left out: the data set notmnist was not "
              "there.</p>\n<h3>here: ");
    free(page);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void replaced_whole_or_not_at_all(void **state) {
    (void)state;
    static const char line[] = "--study numbers.ini --out out --threads 1 --report-only",
                      old[] = "an old one";
    test_file("out/report.html", old, strlen(old));
    program_next.file_limit = 100000; /* enough for a figure, but not for the page */
    assert_int_equal(program_run("reproduce", line), 1);
    program_said(program_errors, "reproduce: cannot write out/report.html");
    char *page = report_of("out");
    assert_string_equal(page, old);
    free(page);
    assert_int_equal(program_run("reproduce", line), 0);
    page = report_of("out");
    assert_null(strstr(page, old));
    check_page(page);
    free(page);
    DIR *stream = opendir("out"); /* no temporary file is left */
    for (const struct dirent *entry; (entry = readdir(stream));)
        assert_true(!strstr(entry->d_name, "report") || strcmp(entry->d_name, "report.html") == 0);
    closedir(stream);
}

static void places_that_cannot_be_written(void **state) {
    (void)state;
    assert_int_equal(mkdir("taken", 0777), 0);
    assert_int_equal(mkdir("taken/report.html", 0777), 0);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out taken --report-only"), 1);
    program_said(program_errors, "taken/report.html");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out absent/out --report-only"), 1);
    program_said(program_errors,
                 "reproduce: cannot make the folder absent/out/figures: No such file or directory");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out numbers.ini/out"), 1);
    program_said(program_errors, "numbers.ini/out");
}

/* A file in the place of the figures' folder. */
static void figures_that_cannot_be_written(void **state) {
    (void)state;
    assert_int_equal(rename("out/figures", "away-figures"), 0);
    test_file("out/figures", "", 0);
    char *before = report_of("out");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out out --report-only"), 1);
    program_said(program_errors, "out/figures");
    char *after = report_of("out");
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_int_equal(unlink("out/figures"), 0);
    assert_int_equal(rename("away-figures", "out/figures"), 0);
}

/* The points in the plane are drawn once, again where their picture is lost, and never for --report-only. */
static void the_picture_of_points(void **state) {
    (void)state;
    struct stat before, after;
    assert_int_equal(stat("out/toy/toy.svg", &before), 0);
    static const char line[] = "--study numbers.ini --out out --threads 1";
    assert_int_equal(program_run("reproduce", line), 0);
    assert_int_equal(stat("out/toy/toy.svg", &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_int_equal(unlink("out/toy/toy.svg"), 0);
    assert_int_equal(program_run("reproduce", "--report-only %s", line), 0);
    assert_false(program_file_exists("out/toy/toy.svg"));
    assert_int_equal(program_run("reproduce", line), 0);
    assert_true(program_file_exists("out/toy/toy.svg"));
    char *page = report_of("out");
    program_said(page, "<h2>Points in the plane</h2>");
    free(page);
}

static void one_size_alone(void **state) {
    (void)state;
    assert_int_equal(program_run("reproduce", "--quick --full --study numbers.ini --out refused"), 2);
    program_complained("reproduce: --quick and --full: name one of them");
    assert_false(program_file_exists("refused"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(a_note),
        cmocka_unit_test(the_table_of_conditions),
        cmocka_unit_test(findings_of_conditions),
        cmocka_unit_test(findings_of_layers),
        cmocka_unit_test(the_table_of_layers),
        cmocka_unit_test(curves_and_planes),
        cmocka_unit_test(a_half_finished_study),
        cmocka_unit_test(nothing_is_done),
        cmocka_unit_test(a_failed_run),
        cmocka_unit_test(shapes_stand_in),
        cmocka_unit_test(runs_are_left_out),
        cmocka_unit_test(replaced_whole_or_not_at_all),
        cmocka_unit_test(places_that_cannot_be_written),
        cmocka_unit_test(figures_that_cannot_be_written),
        cmocka_unit_test(the_picture_of_points),
        cmocka_unit_test(one_size_alone),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
