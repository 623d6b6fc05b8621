#define _GNU_SOURCE /* vasprintf */
#include "html.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"
#include "svg.h"

static const char style[] =
    ":root{--ink:#1c1c1c;--soft:#5c5c5c;--line:#dcdcdc;--note:#f5f5f1}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:1080px;padding:1.5rem 1.2rem 4rem;color:var(--ink);background:#fff;"
    "font:16px/1.55 Georgia,'Times New Roman',serif}"
    "h1{font-size:1.9rem;line-height:1.2;margin:.4em 0}h2{font-size:1.4rem;margin:2.4em 0 "
    ".5em;padding-top:.6em;"
    "border-top:1px solid var(--line)}h3{font-size:1.1rem;margin:1.6em 0 .4em}"
    "p,li{max-width:46em;margin:.6em 0}ul{padding-left:1.3em}"
    ".paper,.notice{background:var(--note);border-left:4px solid #b0a070;padding:.6em "
    "1em;max-width:48em;margin:1em 0}"
    ".notice{border-color:#d55e00;background:#fdf1e9}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:1rem;margin:"
    "1em 0}"
    ".small{grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),1fr))}"
    ".panorama svg{min-width:720px}"
    "figure{margin:0}figure svg{display:block;width:100%;height:auto}"
    "img{display:block;max-width:100%;height:auto}svg "
    "text{font-family:Helvetica,Arial,sans-serif}"
    "figcaption,.legend,.soft{color:var(--soft);font-size:.9rem}"
    ".legend{display:flex;flex-wrap:wrap;gap:.2em 1.1em;list-style:none;padding:0 0 0 .6em;margin:.2em 0 1em}"
    ".legend li{margin:0;display:flex;align-items:center;gap:.4em}.legend "
    "svg{width:auto;height:8px;flex:none}"
    ".wide{overflow-x:auto;margin:1em 0}table{border-collapse:collapse;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}th,td{padding:.3em .7em;text-align:right;border-bottom:1px solid "
    "var(--line);"
    "vertical-align:top}th{font-weight:600;vertical-align:bottom}td{white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;min-width:9em;max-width:"
    "20em;"
    "overflow-wrap:break-word}td .soft{display:block;font-size:.8rem}"
    "pre{background:var(--note);padding:.8em 1em;overflow-x:auto;font-size:.85rem;line-height:1.4}"
    "@media(max-width:480px){body{font-size:15px;padding:1rem .9rem 3rem}h1{font-size:1.5rem}}"
    "@media "
    "print{.wide{overflow:visible}table{font-size:7pt}th,td{padding:.2em "
    ".35em}pre{white-space:pre-wrap}body{max-width:none;font-size:11pt;padding:0}h2{break-after:avoid}figure,"
    "table,.paper{break-"
    "inside:avoid}"
    ".grid{grid-template-columns:1fr 1fr}}";

void exp_html_text(FILE *page, const char *text) {
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", page);
            break;
        case '>':
            fputs("&gt;", page);
            break;
        case '&':
            fputs("&amp;", page);
            break;
        case '"':
            fputs("&quot;", page);
            break;
        default: /* control bytes, which no page may hold, become '?' */
            if ((unsigned char)*text >= 0x20 && *text != 0x7f)
                putc(*text, page);
            else
                putc(strchr("\t\n\r", *text) ? *text : '?', page);
        }
}

void exp_html_begin(FILE *page, const char *title) {
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          page);
    exp_html_text(page, title);
    fprintf(page, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
    exp_html_element(page, "h1", "%s", title);
}

void exp_html_end(FILE *page) {
    fputs("</body>\n</html>\n", page);
}

static void put_text(FILE *page, const char *format, va_list arguments) {
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    exp_html_text(page, text);
    free(text);
}

void exp_html_format(FILE *page, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    put_text(page, format, arguments);
    va_end(arguments);
}

void exp_html_element(FILE *page, const char *tag, const char *format, ...) {
    va_list arguments;
    fprintf(page, "<%s>", tag);
    va_start(arguments, format);
    put_text(page, format, arguments);
    va_end(arguments);
    fprintf(page, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* --- pictures ------------------------------------------------------------------------------------------- */

/* The file's name without folder and ending, as the beginning of identifiers. */
static void name_of(const char *path, char name[64]) {
    const char *slash = strrchr(path, '/');
    snprintf(name, 64, "%.60s", slash ? slash + 1 : path);
    name[strcspn(name, ".")] = '\0';
    for (char *byte = name; *byte; byte++)
        if (!isalnum((unsigned char)*byte))
            *byte = '-';
}

/* How many bytes at `at`, inside a tag, lead to an identifier: id=" or href="# or url(#; 0: none. */
static size_t before_identifier(const char *at) {
    static const char *const leads[] = {" id='", " id=\"", "href='#", "href=\"#", "url(#"};
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (strncmp(at, leads[i], strlen(leads[i])) == 0)
            return strlen(leads[i]);
    return 0;
}

/* Pictures of one page share its identifiers, so that each gets its own: NAME- before those of the file. What gnuplot has
 * to say of itself would only be told to pointers that rest on the picture. */
static void put_picture(FILE *page, const char *svg, const char *name) {
    bool inside = false;
    while (*svg) {
        svg = exp_svg_skip_words(svg);
        size_t length = inside ? before_identifier(svg) : 0;
        if (length) {
            fprintf(page, "%.*s%s-", (int)length, svg, name);
            svg += length;
        } else if (*svg) {
            inside = *svg == '<' || (inside && *svg != '>');
            putc(*svg++, page);
        }
    }
}

/* What stands before the element <svg> is for files alone. */
nn_status exp_html_picture(FILE *page, const char *svg, nn_error *error) {
    enum { LARGEST = 4 << 20 };
    unsigned char *bytes;
    size_t count;
    char name[64];
    if (nn_file_read(svg, LARGEST, &bytes, &count, error) != NN_OK)
        return error->status;
    const char *start = strstr((const char *)bytes, "<svg");
    nn_status status = NN_OK;
    if (start && exp_svg_is_picture(start)) {
        name_of(svg, name);
        put_picture(page, start, name);
    } else
        status = nn_fail(error, NN_EFORMAT, "%s is no SVG picture, or more than a picture", svg);
    free(bytes);
    return status;
}

/* Base 64 (RFC 4648). */
static void put_base64(FILE *page, const unsigned char *bytes, size_t count) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        size_t here = count - i < 3 ? count - i : 3;
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < here ? bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            putc(k <= here ? digits[group >> (18 - 6 * k) & 63] : '=', page);
    }
}

nn_status exp_html_image(FILE *page, const char *png, const char *text, nn_error *error) {
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    enum { LARGEST = 4 << 20 };
    unsigned char *bytes;
    size_t count;
    if (nn_file_read(png, LARGEST, &bytes, &count, error) != NN_OK)
        return error->status;
    nn_status status = NN_OK;
    if (count > sizeof signature && memcmp(bytes, signature, sizeof signature) == 0) {
        fputs("<img alt=\"", page);
        exp_html_text(page, text);
        fputs("\" src=\"data:image/png;base64,", page);
        put_base64(page, bytes, count);
        fputs("\">\n", page);
    } else
        status = nn_fail(error, NN_EFORMAT, "%s is no PNG picture", png);
    free(bytes);
    return status;
}

void exp_html_legend(FILE *page, const exp_chart *chart) {
    fputs("<ul class=\"legend\">", page);
    for (int i = 0; i < chart->count; i++) {
        const exp_series *s = &chart->series[i];
        if (s->style == EXP_CHART_DOTS)
            fprintf(page,
                    "<li><svg viewBox=\"0 0 8 8\"><circle cx=\"4\" cy=\"4\" r=\"4\" fill=\"%s\"/></svg>",
                    s->color);
        else
            fprintf(page,
                    "<li><svg viewBox=\"0 0 26 8\"><path d=\"M0 4H26\" stroke=\"%s\" "
                    "stroke-width=\"3\"%s/></svg>",
                    s->color, s->dashed ? " stroke-dasharray=\"6 3\"" : "");
        exp_html_text(page, s->name);
        fputs("</li>", page);
    }
    fputs("</ul>\n", page);
}
