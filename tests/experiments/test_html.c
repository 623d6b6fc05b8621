/* The parts of the report's page: text that cannot become markup, elements, legends, pictures. */
#include "experiments/report/html.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

static char *text;
static size_t size;

/* A page in memory, then what it holds. */
static FILE *begin(void) {
    FILE *page = open_memstream(&text, &size);
    assert_non_null(page);
    return page;
}

static void expect(FILE *page, const char *wanted) {
    assert_int_equal(fclose(page), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void escaping(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain, it's fine", "plain, it's fine"},
        {"<script>alert(\"1\")</script>", "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"},
        {"a & b &amp; c &#60;", "a &amp; b &amp;amp; c &amp;#60;"},
        {"]]> --> <!--", "]]&gt; --&gt; &lt;!--"},
        {"a\tb\nc\rd", "a\tb\nc\rd"},
        {"\x01\x1b[31m\x08\x7f.", "??[31m??."},
        {"gr\xc3\xbc\xc3\x9f \xe2\x88\x92", "gr\xc3\xbc\xc3\x9f \xe2\x88\x92"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *page = begin();
        exp_html_text(page, cases[i][0]);
        expect(page, cases[i][1]);
    }
}

static void elements(void **state) {
    (void)state;
    FILE *page = begin();
    exp_html_element(page, "p", "%s", "<b>%d</b>");
    exp_html_element(page, "p class=\"notice\"", "%d of %d & %.1f%%", 3, 4, 0.5);
    exp_html_element(page, "h2 id=\"x\" class=\"y\"", "%s", "");
    exp_html_element(page, "td", "%s", "\x02");
    exp_html_format(page, "%s is %.1f", "<a>", 0.25);
    expect(page, "<p>&lt;b&gt;%d&lt;/b&gt;</p>\n<p class=\"notice\">3 of 4 &amp; 0.5%</p>\n"
                 "<h2 id=\"x\" class=\"y\"></h2>\n<td>?</td>\n&lt;a&gt; is 0.2");
}

static void a_long_text(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    char *letters = test_bytes(LENGTH + 1);
    memset(letters, '&', LENGTH);
    FILE *page = begin();
    exp_html_element(page, "pre", "%s", letters);
    assert_int_equal(fclose(page), 0);
    assert_int_equal(size, strlen("<pre></pre>\n") + 5 * LENGTH);
    free(text);
    free(letters);
}

static void a_page(void **state) {
    (void)state;
    FILE *page = begin();
    exp_html_begin(page, "Title </title><script>");
    exp_html_end(page);
    assert_int_equal(fclose(page), 0);
    assert_memory_equal(text, "<!doctype html>\n<html", 21);
    assert_non_null(strstr(text, "<meta charset=\"utf-8\">"));
    assert_non_null(strstr(text, "<title>Title &lt;/title&gt;&lt;script&gt;</title>"));
    assert_non_null(strstr(text, "<h1>Title &lt;/title&gt;&lt;script&gt;</h1>"));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "://"));
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "@import"));
    assert_string_equal(text + size - 16, "</body>\n</html>\n");
    free(text);
}

static void legends(void **state) {
    (void)state;
    exp_chart *chart = exp_chart_new("", "", "");
    FILE *page = begin();
    exp_html_legend(page, chart);
    expect(page, "<ul class=\"legend\"></ul>\n");

    exp_chart_add(chart, "plain <1> & \"2\"", "#0072B2", EXP_CHART_LINES, 1, false);
    exp_chart_add(chart, "inner", "#E69F00", EXP_CHART_LINES, 1, false)->dashed = true;
    exp_chart_add(chart, "class", "#CC79A7", EXP_CHART_DOTS, 1, false);
    page = begin();
    exp_html_legend(page, chart);
    expect(page, "<ul class=\"legend\"><li><svg viewBox=\"0 0 26 8\"><path d=\"M0 4H26\" stroke=\"#0072B2\" "
                 "stroke-width=\"3\"/></svg>plain &lt;1&gt; &amp; &quot;2&quot;</li>"
                 "<li><svg viewBox=\"0 0 26 8\"><path d=\"M0 4H26\" stroke=\"#E69F00\" stroke-width=\"3\" "
                 "stroke-dasharray=\"6 3\"/></svg>inner</li>"
                 "<li><svg viewBox=\"0 0 8 8\"><circle cx=\"4\" cy=\"4\" r=\"4\" "
                 "fill=\"#CC79A7\"/></svg>class</li></ul>\n");
    exp_chart_free(chart);
}

/* --- pictures ------------------------------------------------------------------------------------------- */

static void put(FILE *page, const char *name, const char *svg) {
    nn_error error = {0};
    test_ok(exp_html_picture(page, test_file(name, svg, strlen(svg)), &error), &error);
}

/* The picture alone, its identifiers after its file; what is only text stays as it is. */
static void a_picture(void **state) {
    (void)state;
    FILE *page = begin();
    put(page, "figure-1.svg",
        "<?xml version=\"1.0\"?>\n<!-- id='a' -->\n<svg\n viewBox=\"0 0 1 1\">\n<title>Gnuplot</title>\n"
        "<desc>Produced by <b/> 5</desc>\n<defs><circle id='dot' r='1'/></defs>\n<g id=\"plot\" >"
        "<title>$series0</title><use xlink:href='#dot' x='1'/><path fill=\"url(#dot)\" href=\"#plot\"/></g>"
        "<text> id='dot' href='#dot' url(#dot)</text></svg>\n");
    expect(page, "<svg\n viewBox=\"0 0 1 1\">\n\n\n<defs><circle id='figure-1-dot' r='1'/></defs>\n"
                 "<g id=\"figure-1-plot\" ><use xlink:href='#figure-1-dot' x='1'/>"
                 "<path fill=\"url(#figure-1-dot)\" href=\"#figure-1-plot\"/></g>"
                 "<text> id='dot' href='#dot' url(#dot)</text></svg>\n");
}

/* What is left out is not looked at, so that none of it may stay. */
static void words_after_words(void **state) {
    (void)state;
    FILE *page = begin();
    put(page, "words.svg",
        "<svg><desc>x</desc><title><script>1</script></title> <title><p></title><desc><a></desc></svg>");
    expect(page, "<svg> </svg>");
}

static void the_name_of_a_picture(void **state) {
    (void)state;
    FILE *page = begin();
    put(page, "a\"b <c>'.d.svg", "<svg id='x'></svg>");
    expect(page, "<svg id='a-b--c---x'></svg>");
}

/* A chart's own picture: identifiers of several do not clash. */
static void two_charts(void **state) {
    (void)state;
    nn_error error = {0};
    FILE *page = begin();
    for (int i = 1; i <= 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "chart%d.svg", i);
        exp_chart *chart = exp_chart_new("id='gpPt6'", "x", "y");
        exp_series *series = exp_chart_add(chart, "s", "#000000", EXP_CHART_MARKS, 2, false);
        for (int k = 0; k < 2; k++)
            series->x[k] = series->y[k] = k;
        test_ok(exp_chart_draw(chart, test_path(name), &error), &error);
        test_ok(exp_html_picture(page, test_path(name), &error), &error);
        exp_chart_free(chart);
    }
    assert_int_equal(fclose(page), 0);
    assert_memory_equal(text, "<svg", 4);
    assert_null(strstr(text, "<?xml"));
    assert_null(strstr(text, "<title"));
    assert_null(strstr(text, "'#gp"));
    assert_non_null(strstr(text, "<text>id='gpPt6'</text>"));
    for (int i = 1; i <= 2; i++) {
        char definition[32], use[48];
        snprintf(definition, sizeof definition, "id='chart%d-gpPt6'", i);
        snprintf(use, sizeof use, "xlink:href='#chart%d-gpPt6' transform", i);
        const char *first = strstr(text, definition);
        assert_non_null(first);
        assert_null(strstr(first + 1, definition));
        assert_non_null(strstr(first, use));
    }
    free(text);
}

static void no_pictures(void **state) {
    (void)state;
    nn_error error = {0};
    FILE *page = begin();
    test_fails(exp_html_picture(page, test_path("absent.svg"), &error), NN_EFILE, &error, "absent.svg");
    static const char *const others[] = {"", "\x89PNG\r\n", "<html></html>", "<svg><g>cut short", "</svg>"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *path = test_file("other.svg", others[i], strlen(others[i]));
        test_fails(exp_html_picture(page, path, &error), NN_EFORMAT, &error, "other.svg is no SVG picture");
    }
    test_fails(exp_html_picture(page, test_file("nul.svg", "\0<svg></svg>", 12), &error), NN_EFORMAT, &error,
               "nul.svg");
    expect(page, "");
}

/* Of every length modulo 3, against the vectors of RFC 4648 behind a signature of 9 bytes and one more. */
static void images(void **state) {
    (void)state;
    static const char *const ends[][2] = {{"f", "Zg=="},         {"fo", "Zm8="},
                                          {"foo", "Zm9v"},       {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    char bytes[32] = "\x89PNG\r\n\x1a\n\xff", wanted[128];
    for (int i = 0; i < 6; i++) {
        nn_error error = {0};
        size_t length = strlen(ends[i][0]);
        memcpy(bytes + 9, ends[i][0], length);
        const char *path = test_file("image.png", bytes, 9 + length);
        FILE *page = begin();
        test_ok(exp_html_image(page, path, "a \"b\" <c>", &error), &error);
        snprintf(wanted, sizeof wanted,
                 "<img alt=\"a &quot;b&quot; &lt;c&gt;\" src=\"data:image/png;base64,iVBORw0KGgr/%s\">\n",
                 ends[i][1]);
        expect(page, wanted);
    }
    nn_error error = {0};
    FILE *page = begin();
    test_fails(exp_html_image(page, test_file("image.png", "GIF89a, a picture", 17), "x", &error), NN_EFORMAT,
               &error, "image.png is no PNG picture");
    test_fails(exp_html_image(page, "/nowhere.png", "x", &error), NN_EFILE, &error, "/nowhere.png");
    expect(page, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping),
        cmocka_unit_test(elements),
        cmocka_unit_test(a_long_text),
        cmocka_unit_test(a_page),
        cmocka_unit_test(legends),
        cmocka_unit_test(a_picture),
        cmocka_unit_test(words_after_words),
        cmocka_unit_test(the_name_of_a_picture),
        cmocka_unit_test(two_charts),
        cmocka_unit_test(no_pictures),
        cmocka_unit_test(images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
