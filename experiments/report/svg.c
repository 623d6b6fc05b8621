#include "svg.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const elements[] = {"svg",     "g",           "path",     "text",    "tspan",
                                       "use",     "defs",        "circle",   "rect",    "line",
                                       "image",   "polygon",     "polyline", "ellipse", "filter",
                                       "feFlood", "feComposite", "clipPath", "pattern", NULL};

static const char space[] = " \t\r\n";

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* Takes a name; false where there is none. */
static bool take_name(const char **at, const char **name, size_t *length) {
    *name = *at;
    *length = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_");
    *at += *length;
    return *length > 0;
}

static bool is_drawing(const char *name, size_t length) {
    for (int i = 0; elements[i]; i++)
        if (strlen(elements[i]) == length && memcmp(elements[i], name, length) == 0)
            return true;
    return false;
}

static bool has(const char *text, size_t length, const char *part) {
    for (size_t i = 0; i + strlen(part) <= length; i++)
        if (strncasecmp(text + i, part, strlen(part)) == 0)
            return true;
    return false;
}

/* Whether every url(...) of a value is one of the picture itself, and none is spelled so that it is not seen. */
static bool stays_inside(const char *value, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (strchr("<&\\", value[i]) || (strncasecmp(value + i, "url(", 4) == 0 && value[i + 4] != '#'))
            return false;
    return true;
}

static bool is_harmless(const char *name, size_t name_length, const char *value, size_t value_length) {
    if (strncasecmp(name, "on", 2) == 0 || has(name, name_length, "src"))
        return false;
    if (has(name, name_length, "href") && !begins(value, "#") && !begins(value, "data:image/png;base64,"))
        return false;
    if (has(name, name_length, "style") && has(value, value_length, "("))
        return false;
    return stays_inside(value, value_length);
}

/* Takes the attributes of a tag and its end. */
static bool take_attributes(const char **at, bool *closed) {
    for (;;) {
        const char *name, *value;
        size_t length;
        *at += strspn(*at, space);
        *closed = begins(*at, "/>");
        if (*closed || **at == '>') {
            *at += *closed ? 2 : 1;
            return true;
        }
        if (!take_name(at, &name, &length))
            return false;
        *at += strspn(*at, space);
        if (*(*at)++ != '=')
            return false;
        *at += strspn(*at, space);
        if (**at != '"' && **at != '\'')
            return false;
        value = *at + 1;
        const char *end = strchr(value, **at);
        if (!end || !is_harmless(name, length, value, (size_t)(end - value)))
            return false;
        *at = end + 1;
        if (!strchr(" \t\r\n/>", **at) || !**at)
            return false;
    }
}

const char *exp_svg_skip_words(const char *at) {
    static const char *const words[][2] = {{"<title>", "</title>"}, {"<desc>", "</desc>"}};
    for (const char *end = at; end;) {
        at = end;
        end = NULL;
        for (size_t i = 0; i < 2 && !end; i++) {
            end = begins(at, words[i][0]) ? strstr(at, words[i][1]) : NULL;
            end = end ? end + strlen(words[i][1]) : NULL;
        }
    }
    return at;
}

/* The next tag that is part of the picture, or the end of the text. */
static const char *next_tag(const char *at) {
    for (const char *past = NULL; at != past;) {
        past = at + strcspn(at, "<");
        at = exp_svg_skip_words(past);
    }
    return at;
}

/* Takes a tag; *depth counts the elements that are open. */
static bool take_tag(const char **at, size_t *depth) {
    const char *name;
    size_t length;
    bool closing = begins(*at, "</"), closed;
    *at += closing ? 2 : 1;
    if (!take_name(at, &name, &length) || !is_drawing(name, length))
        return false;
    if (closing) {
        *depth -= 1;
        *at += strspn(*at, space);
        return *(*at)++ == '>';
    }
    if (!take_attributes(at, &closed))
        return false;
    *depth += !closed;
    return true;
}

bool exp_svg_is_picture(const char *text) {
    size_t depth = 0;
    bool good = begins(text, "<svg");
    do {
        if (good)
            good = take_tag(&text, &depth);
        if (good && depth > 0)
            text = next_tag(text);
    } while (good && depth > 0 && *text);
    return good && depth == 0 && text[strspn(text, space)] == '\0';
}
