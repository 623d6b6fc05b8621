/* The programs as they are called where they are installed, their manual pages, and what a shell completes. */
#include <stdio.h>
#include <string.h>

#include "framework/version.h"
#include "tests/support/installation.h"

/* --- programs ------------------------------------------------------------------------------------------- */

static void they_know_their_names(void **state) {
    (void)state;
    installation_need();
    installation_check("entangle-train --version");
    installation_said("entangle train " NN_VERSION " (");
    installation_check("for program in $prefix/bin/*; do $program --help || exit 1; done");
    installation_said("usage: entangle-train [--preset NAME]");
    installation_said("a run folder of entangle-train,");
    assert_null(strstr(installation_output, "./train"));
    assert_null(strstr(installation_output, "scripts/fetch"));
    assert_int_equal(installation_sh("entangle-neighbors"), 2);
    installation_said("neighbors: give --run DIR, a run folder of entangle-train (see --help)\n");
    assert_int_equal(installation_sh("cd $work && entangle-train --dataset mnist --data none"), 1);
    installation_said("to get it: ENTANGLE_DATA='none' entangle-fetch mnist\n");
    assert_int_equal(installation_sh("entangle-fetch nist"), 2);
    installation_said("usage: entangle-fetch [--if-missing] DATASET...");
}

/* One that starts another, outside of the source's folder. */
static void they_find_each_other(void **state) {
    (void)state;
    installation_need();
    installation_check(
        "cd $work && cat > small.ini <<'EOF'\n"
        "title = A study\n"
        "[one]\npreset = shapes_resnet\nmodel = mlp\nbatch = 10\nsteps = 2\ntrain-limit = 40\n"
        "test-limit = 20\nlog-every = 0\neval-every = 0\n"
        "EOF\n"
        "entangle-reproduce --study small.ini --out study --missing shapes && cat study/runs/*/config.ini");
    installation_said(" to repeat it: entangle-train --preset ");
    installation_check("grep -e '<pre>' $work/study/report.html");
    installation_said("entangle-reproduce --study small.ini --out study --missing shapes");
    installation_said("entangle-train --preset OUT/runs/NAME/config.ini");
    installation_check(
        "cd $work && mkdir -p alone && cp $prefix/bin/entangle-reproduce alone && rm -r study");
    assert_int_equal(installation_sh("cd $work && alone/entangle-reproduce --study small.ini --out study "
                                     "--missing shapes"),
                     1);
    installation_said("/alone/entangle-train: No such file or directory: install entangle anew\n");
}

/* --- manual --------------------------------------------------------------------------------------------- */

static void every_program_has_a_page(void **state) {
    (void)state;
    installation_need();
    installation_check("cd $prefix/bin && for program in *; do grep '^entangle.* .- ' "
                       "../share/man/man1/$program.1 || exit 1; done");
    installation_said(
        "entangle\\-measure \\- the soft nearest neighbor loss of stored representations, or of every tap of "
        "a trained run\n");
    installation_check("cd $prefix/bin && for program in *; do grep -F \".BR ${program/-/\\\\-} (1)\" "
                       "../share/man/man7/entangle.7 || exit 1; done");
}

static void pages_have_all_options(void **state) {
    (void)state;
    installation_need();
    installation_check(
        "cd $prefix/bin && for program in $(ls | grep -v fetch); do\n"
        "    ./$program --help=options | cut -f 1 | sed 's/-/\\\\\\\\-/g' | while read -r option; do\n"
        "        grep -q -e \"^.fB.*$option.fR\" ../share/man/man1/$program.1 || "
        "{ echo \"$program: $option\"; exit 1; }\n"
        "    done || exit 1\n"
        "done");
    installation_check("sed -n '/^.fB.-.-preset/,/^.TP/p' $prefix/share/man/man1/entangle-train.1");
    installation_said(
        "\\fB\\-\\-preset\\fR \\fINAME\\fR\nSettings of experiments/NAME.ini, or of an ini file.\n"
        "One of: ");
    installation_said("mnist_cnn, shapes_resnet");
}

/* Every option of an example is one that its program has. */
static void examples_are_right(void **state) {
    (void)state;
    installation_need();
    installation_check(
        "cd $prefix/bin && for program in $(ls | grep -v fetch); do\n"
        "    options=$(./$program --help=options | cut -f 1)\n"
        "    page=../share/man/man1/$program.1\n"
        "    grep -q '^\\.SH EXAMPLES' $page || continue\n"
        "    sed -n '/^\\.EX/,/^\\.EE/p' $page | sed 's/\\\\-/-/g' | grep -o -e '--[a-z-]*' | while read -r "
        "option; do\n"
        "        grep -qx -e \"${option#--}\" <<<\"$options\" || { echo \"$program: $option\"; exit 1; }\n"
        "    done || exit 1\n"
        "done");
}

static void pages_are_well_formed(void **state) {
    (void)state;
    installation_need();
    if (installation_sh("command -v mandoc") != 0)
        skip(); /* Debian: mandoc */
    installation_check("mandoc -Tlint -Wwarning $prefix/share/man/man?/*");
    assert_string_equal(installation_output, "");
}

/* --- completion ----------------------------------------------------------------------------------------- */

/* What bash would complete the last of the words to, blanks in between. */
static const char *completed(const char *words) {
    installation_check("cd $prefix && . share/bash-completion/completions/entangle-train || exit 1\n"
                       "compopt() { :; }\n"
                       "COMP_WORDS=(%s)\n"
                       "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                       "set -- $(complete -p ${COMP_WORDS[0]}) # complete -F FUNCTION PROGRAM\n"
                       "$3 ${COMP_WORDS[0]} \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"\n"
                       "echo -n ${COMPREPLY[*]}",
                       words);
    return installation_output;
}

static void names_of_options(void **state) {
    (void)state;
    installation_need();
    assert_string_equal(completed("entangle-train --snnl"), "--snnl-weight --snnl-layers");
    assert_string_equal(completed("entangle-train --json --no-a"), "--no-augment");
    assert_string_equal(completed("entangle-train --snnl-weight --ve"), "--version");
    assert_string_equal(completed("entangle-train --quiet --rep"), "");
    assert_string_equal(completed("entangle-measure --feat"), "--features");
    assert_string_equal(completed("entangle-fetch --"), "--if-missing --help");
}

static void values_of_options(void **state) {
    (void)state;
    installation_need();
    assert_string_equal(completed("entangle-train --preset mn"), "mnist_cnn");
    assert_string_equal(completed("entangle-train --preset = mn"), "mnist_cnn");
    assert_string_equal(completed("entangle-train --optimizer ''"), "sgd adam");
    assert_string_equal(completed("entangle-train --optimizer ="), "sgd adam");
    assert_string_equal(completed("entangle-train --model res"), "resnet18");
    assert_string_equal(completed("entangle-attack --dataset not"), "notmnist");
    assert_string_equal(completed("entangle-reproduce --study weig"), "weights");
    assert_string_equal(completed("entangle-fetch ci"), "cifar10");
    assert_string_equal(completed("entangle-train --epochs ''"), "");
    /* files */
    assert_string_equal(completed("entangle-train --run sha"), "share");
    assert_string_equal(completed("entangle-train --run share/entangle/"), "");
    assert_string_equal(completed("entangle-measure --features share/entangle/"), "share/entangle/files");
    assert_string_equal(completed("entangle-train --preset share/entangle/"), "share/entangle/files");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_know_their_names),    cmocka_unit_test(they_find_each_other),
        cmocka_unit_test(every_program_has_a_page), cmocka_unit_test(pages_have_all_options),
        cmocka_unit_test(examples_are_right),       cmocka_unit_test(pages_are_well_formed),
        cmocka_unit_test(names_of_options),         cmocka_unit_test(values_of_options),
    };
    return cmocka_run_group_tests_name("installed programs", tests, installation_begin, NULL);
}
