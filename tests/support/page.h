/* page.h - a page of HTML that is to need nothing but itself. */
#ifndef TEST_PAGE_H
#define TEST_PAGE_H

/* Fails unless the page is well formed and refers to nothing outside: everything that is opened is closed in its order,
 * values are quoted, text is escaped, identifiers are there once and what is referred to is there; no scripts, no
 * images but those that the page holds itself, no addresses but the names of XML namespaces. */
void page_check(const char *page);

#endif
