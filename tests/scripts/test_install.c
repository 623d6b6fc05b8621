/* `make install`: the library as it is found by programs in C and C++, and the programs that docs/library.md shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/version.h"
#include "tests/support/installation.h"

static void all_is_in_its_place(void **state) {
    (void)state;
    installation_need();
    installation_check(
        "cd $prefix && ls lib/libentangle.a include/entangle/entangle.h share/man/man7/entangle.7 "
        "share/doc/entangle/library.md bin/entangle-train lib/pkgconfig/entangle.pc");
    installation_check("cd $prefix/lib && readlink libentangle.so libentangle.so.%d && "
                       "readelf -d libentangle.so | grep SONAME",
                       NN_ABI);
    installation_said("libentangle.so.0\nlibentangle.so." NN_VERSION "\n");
    installation_said("[libentangle.so.0]");
    installation_check("pkg-config --modversion entangle");
    installation_said(NN_VERSION "\n");
    /* nothing knows where it is installed */
    installation_check("! grep -rl -e $destination -e $PWD $prefix");
}

/* What both libraries show is what the installed headers declare: gcc names the functions, a search the variables. The
 * compiler's own symbols have names that C cannot write. */
static void public_symbols_are_those_of_the_headers(void **state) {
    (void)state;
    installation_need();
    installation_check("cd $work && echo '#include <entangle/entangle.h>' > all.c\n"
                       "gcc -I$prefix/include -aux-info functions -S -o /dev/null all.c\n"
                       "{ grep include/entangle/ functions | sed 's/ (.*//; s/.*[ *]//'\n"
                       "  sed -n 's/^extern const .* \\**\\([a-z_]*\\)\\(\\[\\]\\)*;.*/\\1/p' $(find "
                       "$prefix/include -name '*.h')\n"
                       "} | sort -u > declared\n"
                       "own() { awk 'NF == 3 && $3 ~ /^[A-Za-z_]/ { print $3 }' | sort; }\n"
                       "nm -D --defined-only $prefix/lib/libentangle.so | own > shared\n"
                       "nm -g --defined-only $prefix/lib/libentangle.a | own > static\n"
                       "wc -l < declared && diff declared shared && diff declared static");
    assert_true(atoi(installation_output) > 100);
}

static void every_header_stands_alone(void **state) {
    (void)state;
    installation_need();
    installation_check("cd $prefix/include && find entangle -name '*.h' | while read header; do\n"
                       "    echo \"#include <$header>\nextern int something;\" > $work/one.c && cd $work\n"
                       "    flags=\"-I$prefix/include -Wall -Wextra -Wpedantic -Werror -fsyntax-only\"\n"
                       "    $cc -std=c11 $flags one.c && $cxx -x c++ -std=c++17 $flags one.c || exit 1\n"
                       "done");
    /* macros are C++, too */
    installation_check(
        "cd $work && cat > shape.cc <<'EOF'\n"
        "#include <entangle/entangle.h>\n"
        "int main() {\n"
        "    nn_shape shape = NN_SHAPE4(1, 2, 3, 4), scalar = NN_SCALAR;\n"
        "    return nn_shape_count(shape) != 24 || scalar.rank != 0 || nn_shape_row(NN_SHAPE2(5, 6)) != 6;\n"
        "}\n"
        "EOF\n"
        "$cxx -std=c++17 -Wall -Wextra -Wpedantic -Werror shape.cc -o shape $(pkg-config --cflags --libs "
        "entangle) && ./shape");
}

/* --- the programs of the document ----------------------------------------------------------------------- */

#define STATIC                                                                                               \
    "$(pkg-config --cflags entangle) -Wl,-Bstatic $(pkg-config --libs entangle) -Wl,-Bdynamic "              \
    "$(pkg-config --static --libs entangle | sed 's/-lentangle//')"

/* Extracts the document's `number`th program as $work/NAME.c and compiles it in four ways: from C and C++, with the shared
 * and the static library. */
static void compile(int number, const char *name) {
    installation_check("cd $work && awk -v n=%d '/^```$/ { inside = 0 } inside { print } /^```c$/ { inside = "
                       "++count == n }' "
                       "$prefix/share/doc/entangle/library.md > %s.c && wc -l < %s.c",
                       number, name, name);
    installation_check(
        "cd $work && name=%s\n"
        "warn='-Wall -Wextra -Wpedantic -Werror' shared=$(pkg-config --cflags --libs entangle)\n"
        "cpp=\"$cxx -x c++ -std=c++20 $warn -Wno-missing-field-initializers\"\n"
        "$cc -std=c11 $warn $name.c -o $name $shared && $cpp $name.c -o $name-cpp $shared &&\n"
        "$cc $warn $name.c -o $name-static " STATIC " &&\n"
        "$cpp $name.c -o $name-cpp-static " STATIC " &&\n"
        "ldd $name | grep -q $prefix/lib/libentangle.so.0 && ! ldd $name-static | grep libentangle",
        name);
}

/* Runs all four, which must print the same. */
static void run(const char *name, const char *arguments) {
    installation_check("cd $work && for form in %s-cpp %s-static %s-cpp-static; do\n"
                       "    cmp <(./%s %s) <(./$form %s) || exit 1\n"
                       "done && ./%s %s",
                       name, name, name, name, arguments, arguments, name, arguments);
}

typedef struct row {
    double entropy, snnl;
} row;

/* First and last line of what the program prints with this weight. */
static void train(const char *weight, row *first, row *last) {
    int step, rows = 0;
    run("mlp", weight);
    for (char *line = installation_output; *line; line = strchr(line, '\n') + 1, rows++) {
        assert_int_equal(sscanf(line, "%d cross-entropy %lf SNNL %lf", &step, &last->entropy, &last->snnl),
                         3);
        if (rows == 0)
            *first = *last;
    }
    assert_int_equal(rows, 5);
    assert_int_equal(step, 400);
}

/* The network learns; its hidden layer's SNNL falls by itself, further with a negative weight, and rises with a positive
 * one, as the document says. */
static void mlp_of_the_document(void **state) {
    (void)state;
    installation_need();
    row first, by_itself, entangled, apart;
    compile(1, "mlp");
    assert_in_range(atoi(installation_output), 0, 50);
    train("0", &first, &by_itself);
    train("1", &first, &entangled);
    train("-1", &first, &apart);
    assert_true(by_itself.entropy < 0.3 * first.entropy && entangled.entropy < 0.3 * first.entropy &&
                apart.entropy < 0.3 * first.entropy);
    assert_true(entangled.snnl > first.snnl && first.snnl > by_itself.snnl && by_itself.snnl > apart.snnl);
}

static void loss_alone_of_the_document(void **state) {
    (void)state;
    installation_need();
    static const double x[6][2] = {{0, 0}, {0, 1}, {1, 0}, {5, 5}, {5, 6}, {0.5, 0.4}};
    double value, temperature, loss = 0;
    compile(2, "snnl");
    run("snnl", "");
    assert_int_equal(sscanf(installation_output, "SNNL %lf at temperature %lf", &value, &temperature), 2);
    for (int i = 0; i < 6; i++) {
        double same = 0, all = 0;
        for (int k = 0; k < 6; k++) {
            double e = exp(-(pow(x[i][0] - x[k][0], 2) + pow(x[i][1] - x[k][1], 2)) / temperature);
            all += k != i ? e : 0;
            same += k != i && k / 3 == i / 3 ? e : 0;
        }
        loss += log(all / same) / 6;
    }
    assert_true(fabs(value - loss) < 2e-6);
}

/* --- removal -------------------------------------------------------------------------------------------- */

#define MAKE "make -s MODE=${mode%%-*} CC=$cc"

static void another_version_takes_the_place(void **state) {
    (void)state;
    installation_need();
    installation_check("cd $prefix && touch lib/libentangle.so.0.0.1 && echo lib/libentangle.so.0.0.1 >> "
                       "share/entangle/files");
    installation_check(MAKE " install DESTDIR=$destination PREFIX=/usr");
    installation_check("[ ! -e $prefix/lib/libentangle.so.0.0.1 ] && [ -e $prefix/lib/libentangle.so.0 ]");
}

static void uninstalling_leaves_what_others_have_installed(void **state) {
    (void)state;
    installation_need();
    installation_check("cp -r $destination $work/copy && touch $work/copy/usr/bin/other && " MAKE
                       " uninstall DESTDIR=$work/copy PREFIX=/usr && cd $work/copy && find . ! -type d");
    assert_string_equal(installation_output, "./usr/bin/other\n");
    installation_check("cd $work/copy && find . -name '*entangle*'");
    assert_string_equal(installation_output, "");
    assert_int_equal(installation_sh(MAKE " uninstall DESTDIR=$work/copy PREFIX=/usr"), 2);
    installation_said("nothing of entangle is installed in ");
    assert_int_equal(installation_sh(MAKE " install DESTDIR=$work/copy PREFIX=relative"), 2);
    installation_said("PREFIX=relative is not a path that begins with /");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_in_its_place),
        cmocka_unit_test(public_symbols_are_those_of_the_headers),
        cmocka_unit_test(every_header_stands_alone),
        cmocka_unit_test(mlp_of_the_document),
        cmocka_unit_test(loss_alone_of_the_document),
        cmocka_unit_test(another_version_takes_the_place),
        cmocka_unit_test(uninstalling_leaves_what_others_have_installed),
    };
    return cmocka_run_group_tests_name("install", tests, installation_begin, NULL);
}
