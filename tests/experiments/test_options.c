/* Settings from the command line and from files: every kind, every form, what is refused, who wins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/common/presets.h"
#include "experiments/common/train_options.h"
#include "tests/support/support.h"

/* --- a table of every kind ------------------------------------------------------------------------------ */

typedef struct settings {
    char text[EXP_TEXT_MAX];
    double number, free, weight, usual;
    uint64_t count;
    bool flag, secret;
    int choice;
} settings;

static const char *const choices[] = {"red", "green", "blue", NULL};

#define AT(field) offsetof(settings, field)
static const exp_option table[] = {
    {"text", EXP_TEXT, AT(text), "T", "", .recorded = true},
    {"number", EXP_NUMBER, AT(number), "N", "", 0, 10, .recorded = true},
    {"free", EXP_NUMBER, AT(free), "N", "", .recorded = true},
    {"weight", EXP_NUMBER, AT(weight), "W", "", -5, 5, .bare = AT(usual), .recorded = true},
    {"count", EXP_COUNT, AT(count), "N", "", 1, 9e15, .recorded = true},
    {"flag", EXP_FLAG, AT(flag), NULL, "", .recorded = true},
    {"choice", EXP_CHOICE, AT(choice), "C", "", .choices = choices, .recorded = true},
    {"secret", EXP_FLAG, AT(secret), NULL, "", .recorded = false},
    {0},
};
static const settings defaults = {.text = "default", .number = 1, .free = 2, .usual = 0.25, .count = 3};

enum { WORDS = 8 };

/* Parses the words up to the first NULL. */
static nn_status parse(settings *s, const char *const *words, nn_error *error) {
    char *argv[WORDS + 2] = {"program"};
    int argc = 1;
    for (; argc <= WORDS && words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    *s = defaults;
    return exp_options_parse(table, s, argc, argv, error);
}

/* What the settings are, as the lines of a file without those that have their default. */
static const char *changes(const settings *s) {
    static char result[4096];
    char *all = NULL, *usual = NULL, *rest;
    size_t size;
    FILE *file = open_memstream(&all, &size);
    exp_options_write(table, s, file);
    fclose(file);
    file = open_memstream(&usual, &size);
    exp_options_write(table, &defaults, file);
    fclose(file);
    result[0] = '\0';
    for (char *line = strtok_r(all, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char whole[1024];
        snprintf(whole, sizeof whole, "%s\n", line);
        if (!strstr(usual, whole))
            snprintf(result + strlen(result), sizeof result - strlen(result), "%s;", line);
    }
    free(all);
    free(usual);
    return result;
}

typedef struct accepted {
    const char *words[WORDS];
    const char *changes;
} accepted;

static const accepted accepted_lines[] = {
    {{NULL}, ""},
    {{"--text", "a b"}, "text = a b;"},
    {{"--text=a=b"}, "text = a=b;"},
    {{"--text="}, "text = ;"},
    {{"--text", "-5"}, "text = -5;"},
    {{"--text", "a", "--text", "b"}, "text = b;"},
    {{"--number", "2.5"}, "number = 2.5;"},
    {{"--number=1e-3"}, "number = 0.001;"},
    {{"--number", "0"}, "number = 0;"},
    {{"--number", "10"}, "number = 10;"},
    {{"--free", "1e6"}, "free = 1000000;"},
    {{"--free", "-1e300"}, "free = -1e+300;"},
    {{"--free=0.1"}, "free = 0.1;"},
    {{"--free=0.30000000000000004"}, "free = 0.30000000000000004;"},
    {{"--count", "9000000000000000"}, "count = 9000000000000000;"},
    {{"--count=1"}, "count = 1;"},
    {{"--flag"}, "flag = yes;"},
    {{"--flag", "--no-flag"}, ""},
    {{"--flag=yes"}, "flag = yes;"},
    {{"--flag", "--flag=no"}, ""},
    {{"--choice", "blue"}, "choice = blue;"},
    {{"--choice=green", "--flag"}, "flag = yes;choice = green;"},
    /* a number may be left out; what follows is its value only if it is one */
    {{"--weight"}, "weight = 0.25;"},
    {{"--weight", "--flag"}, "weight = 0.25;flag = yes;"},
    {{"--weight", "3"}, "weight = 3;"},
    {{"--weight", "-3"}, "weight = -3;"},
    {{"--weight", "-.5", "--flag"}, "weight = -0.5;flag = yes;"},
    {{"--weight=-3"}, "weight = -3;"},
    {{"--weight=0"}, ""},
    {{"--weight", "0", "--weight"}, "weight = 0.25;"},
};

static void command_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof accepted_lines / sizeof *accepted_lines; i++) {
        nn_error error = {0};
        settings s;
        test_ok(parse(&s, accepted_lines[i].words, &error), &error);
        assert_string_equal(changes(&s), accepted_lines[i].changes);
    }
}

typedef struct refused {
    const char *words[WORDS];
    const char *message;
} refused;

static const refused refused_lines[] = {
    {{"--nosuch"}, "--nosuch: there is no such option (see --help)"},
    {{"--nosuch=5"}, "--nosuch: there is no such option"},
    {{"--tex", "a"}, "--tex: there is no such option"},
    {{"--"}, "--: there is no such option"},
    {{"text"}, "'text' is not an option: options start with --"},
    {{"-text", "a"}, "'-text' is not an option"},
    {{"--text"}, "--text wants a value: --text T"},
    {{"--text", "--flag"}, "--text wants a value: --text T"},
    {{"--number", "--flag"}, "--number wants a value: --number N"},
    {{"--number", "abc"}, "--number: 'abc' is not a number"},
    {{"--number", "1x"}, "--number: '1x' is not a number"},
    {{"--number="}, "--number: '' is not a number"},
    {{"--number", "nan"}, "--number: 'nan' is not a number"},
    {{"--free", "inf"}, "--free: 'inf' is not a number"},
    {{"--number", "-0.5"}, "--number: -0.5 is not between 0 and 10"},
    {{"--number", "10.01"}, "--number: 10.01 is not between 0 and 10"},
    {{"--weight=6"}, "--weight: 6 is not between -5 and 5"},
    {{"--weight="}, "--weight: '' is not a number"},
    {{"--count", "0"}, "--count: '0' is not a whole number between 1 and 9000000000000000"},
    {{"--count", "-1"}, "--count: '-1' is not a whole number"},
    {{"--count", "+1"}, "--count: '+1' is not a whole number"},
    {{"--count", "1.5"}, "--count: '1.5' is not a whole number"},
    {{"--count", "1e3"}, "--count: '1e3' is not a whole number"},
    {{"--count", " 1"}, "--count: ' 1' is not a whole number"},
    {{"--count", ""}, "--count: '' is not a whole number"},
    {{"--count", "9000000000000001"}, "is not a whole number between"},
    {{"--count", "99999999999999999999999"}, "is not a whole number between"},
    {{"--flag=1"}, "--flag: '1' is neither yes nor no"},
    {{"--no-flag=yes"}, "--no-flag: there is no such option"},
    {{"--no-text"}, "--no-text: there is no such option"},
    {{"--choice", "RED"}, "--choice: 'RED' is not one of: red, green, blue"},
    {{"--choice="}, "--choice: '' is not one of"},
    {{"--text", "two\nlines"}, "--text: the value has more than one line"},
};

static void wrong_command_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused_lines / sizeof *refused_lines; i++) {
        nn_error error = {0};
        settings s;
        const refused *r = &refused_lines[i];
        test_fails(parse(&s, r->words, &error), NN_EARGUMENT, &error, r->message);
        assert_string_equal(changes(&s), "");
    }
}

/* Options that need no value do not take one that is none, and what came before a mistake has been taken. */
static void words_left_over(void **state) {
    (void)state;
    nn_error error = {0};
    settings s;
    test_fails(parse(&s, (const char *[]){"--flag", "yes", NULL}, &error), NN_EARGUMENT, &error,
               "'yes' is not an option");
    assert_string_equal(changes(&s), "flag = yes;");
    test_fails(parse(&s, (const char *[]){"--weight", "x", NULL}, &error), NN_EARGUMENT, &error,
               "'x' is not an option");
    test_fails(parse(&s, (const char *[]){"--weight", "nan", NULL}, &error), NN_EARGUMENT, &error,
               "'nan' is not an option");
    assert_string_equal(changes(&s), "weight = 0.25;");
}

static void long_words(void **state) {
    (void)state;
    nn_error error = {0};
    settings s;
    char word[2 * EXP_TEXT_MAX];
    memset(word, 'x', sizeof word);
    word[EXP_TEXT_MAX - 1] = '\0';
    test_ok(parse(&s, (const char *[]){"--text", word, NULL}, &error), &error);
    assert_string_equal(s.text, word);
    word[EXP_TEXT_MAX - 1] = 'x';
    word[EXP_TEXT_MAX] = '\0';
    test_fails(parse(&s, (const char *[]){"--text", word, NULL}, &error), NN_EARGUMENT, &error,
               "--text: the value is longer than 511 characters");
    word[0] = word[1] = '-';
    test_fails(parse(&s, (const char *[]){word, NULL}, &error), NN_EARGUMENT, &error,
               "there is no such option");
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void files(void **state) {
    (void)state;
    nn_error error = {0};
    settings s = defaults;
    const char text[] =
        "# a comment\n; another = one\n\n  count=7 \r\nnumber = 2 \n\ttext =  a = b ; c # d  \n"
        "flag = yes\nweight = -0.5\nchoice = blue\nsecret = yes\ncount = 8";
    test_ok(exp_options_read(table, &s, "file.ini", text, &error), &error);
    assert_string_equal(changes(&s),
                        "text = a = b ; c # d;number = 2;weight = -0.5;count = 8;flag = yes;choice = blue;");
    assert_true(s.secret);
    test_ok(exp_options_read(table, &s, "file.ini", "", &error), &error);
    test_ok(exp_options_read(table, &s, "file.ini", "\n\n", &error), &error);
}

typedef struct refused_text {
    const char *text;
    nn_status status;
    const char *message;
} refused_text;

static const refused_text refused_texts[] = {
    {"count = 0", NN_EARGUMENT, "a.ini:1: count: '0' is not a whole number"},
    {"count = 5\n\n# c\nnumber = x\n", NN_EARGUMENT, "a.ini:4: number: 'x' is not a number"},
    {"flag = yes\r\nnosuch = 1\r\nnumber = x\n", NN_EARGUMENT, "a.ini:2: nosuch: there is no such option"},
    {"count = 5\nflag\n", NN_EFORMAT, "a.ini:2: not of the form: name = value"},
    {"= 5", NN_EARGUMENT, "a.ini:1: : there is no such option"},
    {"weight =", NN_EARGUMENT, "a.ini:1: weight: '' is not a number"},
    {"no-flag = yes", NN_EARGUMENT, "a.ini:1: no-flag: there is no such option"},
    {"--count = 5", NN_EARGUMENT, "a.ini:1: --count: there is no such option"},
};

static void wrong_files(void **state) {
    (void)state;
    nn_error error = {0};
    for (size_t i = 0; i < sizeof refused_texts / sizeof *refused_texts; i++) {
        const refused_text *r = &refused_texts[i];
        settings s = defaults;
        test_fails(exp_options_read(table, &s, "a.ini", r->text, &error), r->status, &error, r->message);
        const char *path = test_file("a.ini", r->text, strlen(r->text));
        test_fails(exp_options_read_file(table, &s, path, &error), r->status, &error, r->message);
    }
    settings s = defaults;
    test_fails(exp_options_read_file(table, &s, test_path("absent.ini"), &error), NN_EFILE, &error,
               "absent.ini");
}

/* --- config.ini ----------------------------------------------------------------------------------------- */

static nn_status resolve(exp_train_options *options, const char *const *words, nn_error *error) {
    char *argv[32] = {"train"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    return exp_train_options_resolve(options, argc, argv, error);
}

#define RESOLVE(options, error, ...) resolve(options, (const char *[]){__VA_ARGS__, NULL}, error)

static const char *written(const exp_train_options *options, const char *name) {
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    exp_options_write(exp_train_table, options, file);
    fclose(file);
    const char *path = test_file(name, text, size);
    free(text);
    return path;
}

/* Written and read again, every recorded option is what it was; the others are defaults. */
static void a_configuration_comes_back(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options first, second;
    char layers[EXP_TEXT_MAX] = "";
    while (strlen(layers) < EXP_TEXT_MAX - 16)
        strcat(layers, "block1=0.125,");
    const char *words[] = {"--preset",
                           "mnist_cnn",
                           "--model=resnet18",
                           "--dataset",
                           "notmnist",
                           "--snnl-weight",
                           "-0.1",
                           "--lr",
                           "0.30000000000000004",
                           "--seed",
                           "9000000000000000",
                           "--steps=12",
                           "--epochs",
                           "1e-3",
                           "--nesterov",
                           "--balanced",
                           "--no-augment",
                           "--temperature-mode=learned",
                           "--schedule",
                           "exponential",
                           "--distance",
                           "cosine",
                           "--run",
                           "x",
                           "--quiet",
                           "--snnl-layers",
                           layers,
                           NULL};
    test_ok(resolve(&first, words, &error), &error);
    const char *path = written(&first, "config.ini");
    test_ok(RESOLVE(&second, &error, "--preset", path), &error);
    assert_true(second.seed == 9000000000000000 && second.rate == 0.30000000000000004);
    assert_true(second.snnl_weight == -0.1 && second.epochs == 1e-3 && second.steps == 12);
    assert_true(second.nesterov && second.balanced && !second.augment);
    assert_true(second.temperature_mode == NN_TEMPERATURE_LEARNED && second.distance == NN_COSINE);
    assert_string_equal(second.snnl_layers, layers);
    assert_string_equal(second.model, "resnet18");
    assert_true(second.run[0] == '\0' && !second.quiet && !second.dataset_named);
    /* byte for byte: all that the recorded options are */
    strcpy(first.preset, second.preset);
    first.run[0] = '\0';
    first.quiet = first.dataset_named = false;
    for (const exp_option *o = exp_train_table; o->name; o++) {
        size_t bytes = o->kind == EXP_COUNT || o->kind == EXP_NUMBER ? 8
                       : o->kind == EXP_FLAG                         ? sizeof(bool)
                                                                     : sizeof(int);
        if (o->kind == EXP_TEXT)
            assert_string_equal((char *)&first + o->offset, (char *)&second + o->offset);
        else
            test_same_bits(o->name, (char *)&first + o->offset, (char *)&second + o->offset, bytes);
    }
}

/* --- who wins ------------------------------------------------------------------------------------------- */

static void defaults_then_preset_then_command_line(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options o;
    const char preset[] = "lr = 0.5\nbatch = 64\nmodel = mnist_cnn\nentangling-weight = 0.75\n";
    char path[512];
    snprintf(path, sizeof path, "%s", test_file("mine.ini", preset, sizeof preset - 1));
    /* the place of --preset does not matter, of two the last counts */
    test_ok(RESOLVE(&o, &error, "--batch", "32", "--preset", "mnist_cnn", "--preset", path), &error);
    assert_true(o.momentum == exp_train_defaults.momentum && o.optimizer == NN_SGD);
    assert_true(o.rate == 0.5 && o.batch == 32 && o.snnl_weight == 0);
    assert_string_equal(o.model, "mnist_cnn");
    assert_string_equal(o.preset, path);
    char equals[600];
    snprintf(equals, sizeof equals, "--preset=%s", path);
    test_ok(RESOLVE(&o, &error, equals, "--snnl-weight"), &error);
    assert_true(o.batch == 64 && o.snnl_weight == 0.75);
    test_ok(RESOLVE(&o, &error, equals, "--snnl-weight", "--batch", "16"), &error);
    assert_true(o.batch == 16 && o.snnl_weight == 0.75);
    test_ok(RESOLVE(&o, &error, equals, "--snnl-weight", "-2"), &error);
    assert_true(o.snnl_weight == -2);
}

/* A preset's layers are those of its model: another model has all of its own, unless they are named. */
static void layers_go_with_the_model(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options o;
    const char preset[] = "model = mnist_cnn\nsnnl-layers = conv1,conv2\n";
    char path[512];
    snprintf(path, sizeof path, "%s", test_file("layers.ini", preset, sizeof preset - 1));
    test_ok(RESOLVE(&o, &error, "--preset", path), &error);
    assert_string_equal(o.snnl_layers, "conv1,conv2");
    test_ok(RESOLVE(&o, &error, "--preset", path, "--model", "mnist_cnn"), &error);
    assert_string_equal(o.snnl_layers, "conv1,conv2");
    test_ok(RESOLVE(&o, &error, "--preset", path, "--model", "mlp"), &error);
    assert_string_equal(o.snnl_layers, "*");
    test_ok(RESOLVE(&o, &error, "--preset", path, "--snnl-layers=dense1", "--model", "mlp"), &error);
    assert_string_equal(o.snnl_layers, "dense1");
}

static void presets(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options o;
    bool has_default = false;
    for (const exp_preset *p = exp_presets; p->name; p++) {
        has_default |= strcmp(p->name, exp_default_preset) == 0;
        test_ok(RESOLVE(&o, &error, "--preset", p->name), &error);
        assert_string_equal(o.preset, p->name);
    }
    assert_true(has_default);
    test_ok(RESOLVE(&o, &error, "--quiet"), &error);
    assert_string_equal(o.preset, exp_default_preset);
    test_ok(RESOLVE(&o, &error, "--preset", "cifar_resnet", "--snnl-weight"), &error);
    assert_string_equal(o.model, "cifar_resnet");
    assert_string_equal(o.dataset, "cifar10");
    assert_true(o.snnl_weight > 0 && o.snnl_weight == o.entangling_weight && !o.dataset_named);

    test_fails(RESOLVE(&o, &error, "--preset", "nosuch"), NN_EARGUMENT, &error,
               "--preset: there is no 'nosuch'; there are: cifar_resnet, ");
    test_fails(RESOLVE(&o, &error, "--preset", ""), NN_EARGUMENT, &error, "--preset: there is no ''");
    test_fails(RESOLVE(&o, &error, "--preset", test_path("absent.ini")), NN_EFILE, &error, "absent.ini");
    test_fails(RESOLVE(&o, &error, "--preset", test_file("bad.ini", "model = mlp\nlr = fast", 21)),
               NN_EARGUMENT, &error, "bad.ini:2: lr: 'fast' is not a number");
    test_fails(RESOLVE(&o, &error, "--quiet", "--preset"), NN_EARGUMENT, &error, "--preset wants a value");
    test_fails(RESOLVE(&o, &error, "--batch", "0"), NN_EARGUMENT, &error,
               "--batch: '0' is not a whole number");
}

/* Outside the repository the texts compiled in are read; an edited file wins over them. */
static void a_presets_file_wins_over_the_text_compiled_in(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options o;
    char folder[1024];
    assert_non_null(getcwd(folder, sizeof folder));
    test_file("first", "", 0);
    assert_int_equal(chdir(test_path(".")), 0);
    test_ok(RESOLVE(&o, &error, "--preset", "mnist_cnn"), &error);
    assert_string_equal(o.dataset, "mnist");
    assert_int_equal(system("mkdir experiments && echo 'lr = 0.25' > experiments/mnist_cnn.ini"), 0);
    test_ok(RESOLVE(&o, &error, "--preset", "mnist_cnn"), &error);
    assert_true(o.rate == 0.25);
    assert_string_equal(o.dataset, exp_train_defaults.dataset);
    assert_int_equal(chdir(folder), 0);
}

static void a_named_data_set_is_remembered(void **state) {
    (void)state;
    nn_error error = {0};
    exp_train_options o;
    test_ok(RESOLVE(&o, &error, "--dataset", "mnist"), &error);
    assert_true(o.dataset_named);
    test_ok(RESOLVE(&o, &error, "--dataset=mnist"), &error);
    assert_true(o.dataset_named);
    assert_string_equal(o.dataset, "mnist");
    test_ok(RESOLVE(&o, &error, "--data", "somewhere"), &error);
    assert_false(o.dataset_named);
}

static void data_roots(void **state) {
    (void)state;
    unsetenv("ENTANGLE_DATA");
    assert_string_equal(exp_data_root(""), "data");
    setenv("ENTANGLE_DATA", "", 1);
    assert_string_equal(exp_data_root(""), "data");
    setenv("ENTANGLE_DATA", "/elsewhere", 1);
    assert_string_equal(exp_data_root(""), "/elsewhere");
    assert_string_equal(exp_data_root("here"), "here");
    unsetenv("ENTANGLE_DATA");
}

static void numbers_as_text(void **state) {
    (void)state;
    const double values[] = {0,    1,  -1, 0.1, 1.0 / 3, 1e300, 5e-324, 123456789, 0.30000000000000004,
                             1e15, 100};
    const char *texts[] = {"0",
                           "1",
                           "-1",
                           "0.1",
                           "0.3333333333333333",
                           "1e+300",
                           "5e-324",
                           "123456789",
                           "0.30000000000000004",
                           "1e+15",
                           "100"};
    for (int i = 0; i < 11; i++) {
        char text[32];
        assert_string_equal(exp_number_text(values[i], text), texts[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines),
        cmocka_unit_test(wrong_command_lines),
        cmocka_unit_test(words_left_over),
        cmocka_unit_test(long_words),
        cmocka_unit_test(files),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(a_configuration_comes_back),
        cmocka_unit_test(defaults_then_preset_then_command_line),
        cmocka_unit_test(layers_go_with_the_model),
        cmocka_unit_test(presets),
        cmocka_unit_test(a_presets_file_wins_over_the_text_compiled_in),
        cmocka_unit_test(a_named_data_set_is_remembered),
        cmocka_unit_test(data_roots),
        cmocka_unit_test(numbers_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
