#define _GNU_SOURCE /* memmem */
#include "page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

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
    bool picture = strcmp(name, "src") == 0 && begins(value, "data:image/png;base64,");
    if (begins(name, "on") || (strcmp(name, "src") == 0 && !picture) || strcmp(name, "srcset") == 0 ||
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
        /* cppcheck-suppress nullPointerArithmeticRedundantCheck ; broken() does not return */
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
    static const char *const unwanted[] = {"script", "iframe", "object", "link", "form", "base", "image"};
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

void page_check(const char *page) {
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
