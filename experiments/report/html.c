#define _GNU_SOURCE /* memmem */
#include "html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

static const char style[] =
    ":root{--ink:#1c1c1c;--soft:#5c5c5c;--line:#dcdcdc;--note:#f5f5f1}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:1080px;padding:1.5rem 1.2rem 4rem;color:var(--ink);background:#fff;"
    "font:16px/1.55 Georgia,'Times New Roman',serif}"
    "h1{font-size:1.9rem;line-height:1.2;margin:.4em 0}h2{font-size:1.4rem;margin:2.4em 0 "
    ".5em;padding-top:.6em;"
    "border-top:1px solid var(--line)}h3{font-size:1.1rem;margin:1.6em 0 .4em}"
    "p{max-width:46em;margin:.6em 0}a{color:#0b5394}"
    ".paper,.notice{background:var(--note);border-left:4px solid #b0a070;padding:.6em "
    "1em;max-width:48em;margin:1em 0}"
    ".notice{border-color:#d55e00;background:#fdf1e9}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:1rem;margin:"
    "1em 0}"
    ".small{grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),1fr))}"
    ".panorama svg{min-width:720px}"
    "figure{margin:0}figure svg{display:block;width:100%;height:auto}svg "
    "text{font-family:Helvetica,Arial,sans-serif}"
    "figcaption,.legend,.soft{color:var(--soft);font-size:.9rem}"
    ".legend{display:flex;flex-wrap:wrap;gap:.2em 1.1em;list-style:none;padding:0 0 0 .6em;margin:.2em 0 1em}"
    ".legend li{display:flex;align-items:center;gap:.4em}.legend svg{width:26px;height:8px;flex:none}"
    ".wide{overflow-x:auto;margin:1em 0}table{border-collapse:collapse;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}th,td{padding:.3em .8em;text-align:right;border-bottom:1px solid "
    "var(--line);"
    "white-space:nowrap}th{font-weight:600}th:first-child,td:first-child{text-align:left;padding-left:0}"
    "pre{background:var(--note);padding:.8em 1em;overflow-x:auto;font-size:.85rem;line-height:1.4}"
    "@media(max-width:480px){body{font-size:15px;padding:1rem .9rem 3rem}h1{font-size:1.5rem}}"
    "@media "
    "print{body{max-width:none;font-size:11pt;padding:0}h2{break-after:avoid}figure,table,.paper{break-"
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
        default:
            putc(*text, page);
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

void exp_html_element(FILE *page, const char *tag, const char *format, ...) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    va_list arguments;
    if (!memory)
        return;
    va_start(arguments, format);
    vfprintf(memory, format, arguments);
    va_end(arguments);
    if (fclose(memory) == 0) {
        fprintf(page, "<%s>", tag);
        exp_html_text(page, text);
        fprintf(page, "</%.*s>\n", (int)strcspn(tag, " "), tag);
    }
    free(text);
}

/* What stands before the element <svg> is for files alone. */
nn_status exp_html_picture(FILE *page, const char *svg, nn_error *error) {
    enum { LARGEST = 4 << 20 };
    unsigned char *bytes;
    size_t count;
    if (nn_file_read(svg, LARGEST, &bytes, &count, error) != NN_OK)
        return error->status;
    const char *start = memmem(bytes, count, "<svg", 4);
    if (start)
        fwrite(start, 1, count - (size_t)(start - (const char *)bytes), page);
    free(bytes);
    return start ? NN_OK : nn_fail(error, NN_EFORMAT, "%s is no SVG picture", svg);
}

void exp_html_legend(FILE *page, const exp_chart *chart) {
    fputs("<ul class=\"legend\">", page);
    for (int i = 0; i < chart->count; i++) {
        const exp_series *s = &chart->series[i];
        fprintf(
            page,
            "<li><svg viewBox=\"0 0 26 8\"><path d=\"M0 4H26\" stroke=\"%s\" stroke-width=\"3\"%s/></svg>",
            s->color, s->dashed ? " stroke-dasharray=\"6 3\"" : "");
        exp_html_text(page, s->name);
        fputs("</li>", page);
    }
    fputs("</ul>\n", page);
}
