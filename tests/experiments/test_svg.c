/* svg.c: pictures of gnuplot's, and what else SVG can hold. */
#include "experiments/report/svg.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

static const char *const pictures[] = {
    "<svg></svg>",
    "<svg/>\n",
    ("<svg viewBox='0 0 1 1' xmlns:xlink=\"http://www.w3.org/1999/xlink\"><title>a <b> "
     "c</title><desc>x</desc><g\n>"
     "<text x='1'>a &lt; b > c</text></g></svg>\n"),
    "<svg><defs><circle id='a' r='1'/></defs><use xlink:href='#a' fill=\"url(#a)\"/></svg>",
    "<svg><image href='data:image/png;base64,iVBORw0KGgo='/></svg>",
    "<svg><polygon fill = 'rgb(158, 202, 225)' points\n=\n'85.00,121.16 103.05,121.16 '/></svg>",
    "<svg><g style='stroke:none'><path d='M0,0 L1,1' transform='translate(1,2)'/></g></svg>",
};

static const char *const others[] = {
    "",
    "<svg",
    "<svg>",
    "<svgs></svgs>",
    "<svg><g></g>",
    "<svg></svg><p>behind</p>",
    "<svg></svg></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><SCRIPT>alert(1)</SCRIPT></svg>",
    "<svg><foreignObject><p>x</p></foreignObject></svg>",
    "<svg><iframe/></svg>",
    "<svg><animate attributeName='href' to='x'/></svg>",
    "<svg><style>*{}</style></svg>",
    "<svg><a xlink:href='#x'/></svg>",
    "<svg><!-- comment --></svg>",
    "<svg><![CDATA[x]]></svg>",
    "<svg><?x y?></svg>",
    "<svg onload='alert(1)'></svg>",
    "<svg ONLOAD='alert(1)'></svg>",
    "<svg><g x=1></g></svg>",
    "<svg><g x></g></svg>",
    "<svg><g x='1' onload = 'y'/></svg>",
    "<svg><g x='1'onload='2'/></svg>",
    "<svg><use href='http://x/y#z'/></svg>",
    "<svg><use HREF='javascript:x'/></svg>",
    "<svg><use xlink:href=' #a'/></svg>",
    "<svg><image href='data:image/svg+xml;base64,AA=='/></svg>",
    "<svg><image src='x.png'/></svg>",
    "<svg><path fill='url(http://x/y)'/></svg>",
    "<svg><path fill='URL( #a)'/></svg>",
    "<svg><path fill='&#117;rl(http://x/y)'/></svg>",
    "<svg><path fill='\\75rl(http://x/y)'/></svg>",
    "<svg><path style='background:image-set(x)'/></svg>",
    "<svg><path fill='<title>'/><path fill=\"</title>' onload='x\"/></svg>",
    "<svg><title x='1'>words</title></svg>",
    "<svg><title>words</svg>",
    "<svg><path d='M0,0</svg>",
};

static void what_is_a_picture(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        if (!exp_svg_is_picture(pictures[i]))
            fail_msg("refused: %s", pictures[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (exp_svg_is_picture(others[i]))
            fail_msg("taken: %s", others[i]);
}

/* Every beginning of a picture is none, and is looked at to its end only. */
static void cut_at_every_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        for (size_t length = 0; length + 2 < strlen(pictures[i]); length++) {
            char *text = strndup(pictures[i], length);
            assert_non_null(text);
            assert_false(exp_svg_is_picture(text));
            free(text);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_picture),
        cmocka_unit_test(cut_at_every_byte),
    };
    return cmocka_run_group_tests_name("svg", tests, NULL, NULL);
}
