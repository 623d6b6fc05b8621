# entangle: `make help` lists the targets.
#
# Sources are found, dependencies are automatic, and every build mode has a folder of its own under build/.
# Instruction sets are flags of single files (*_avx2.c, *_avx512.c), never of the whole build: the program
# chooses at start.

CC      ?= gcc
MODE    ?= release
B       := build/$(MODE)$(if $(filter-out gcc cc,$(CC)),-$(CC))
# Compile on all processors.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
PRESETS := $(basename $(notdir $(wildcard experiments/*.ini)))

FLAGS.release  := -O3 -DNDEBUG
FLAGS.debug    := -Og -g3
FLAGS.sanitize := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS.fuzz     := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow \
                  -fno-sanitize-recover=all
FLAGS := $(or $(FLAGS.$(MODE)),$(error unknown MODE=$(MODE): release, debug, sanitize or fuzz))

SOURCE  := $(shell git describe --always --dirty 2>/dev/null || cat $(B)/version 2>/dev/null || echo unknown)
CFLAGS  ?=
ALL_CFLAGS := -std=gnu11 -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla -fopenmp -fno-math-errno \
              -fno-trapping-math -ffp-contract=off -I. -MMD -MP $(FLAGS) $(CFLAGS)
LIBRARY_LIBS := -larchive -lopenblas -lcjson -lz -lm -lpthread
LIBS    := -linih $(LIBRARY_LIBS)

# x86-64 alone has these instruction sets; other processors use the generic kernels.
FOREIGN := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)),,%_avx512.c %_avx2.c)
sources  = $(filter-out $(FOREIGN),$(sort $(shell find $(1) -name '*.c' 2>/dev/null)))
objects  = $(patsubst %.c,$(B)/%.o,$(1))
# The library, and what the programs share; tests and programs may use of both what is not public, too.
LIBRARY := $(B)/library.a
SHARED  := $(B)/experiments.a
LIBRARY_OBJECTS := $(call objects,$(call sources,framework models datasets))
SHARED_OBJECTS  := $(call objects,$(call sources,$(wildcard experiments/*/))) $(B)/presets.o
PROGRAMS := $(basename $(notdir $(wildcard experiments/*.c)))
TESTS   := $(patsubst %.c,$(B)/%,$(filter %$(TEST).c,$(shell find tests -name 'test_*.c' -not -path '*/support/*' 2>/dev/null)))
SUPPORT := $(call objects,$(wildcard tests/support/*.c))

.DEFAULT_GOAL := all
.PHONY: always all help test sanitize fuzz bench bench-kernels bench-peers install uninstall lint tidy cppcheck valgrind format check-format clean $(PRESETS)
.SECONDARY:
.DELETE_ON_ERROR:

# The names at the root stand for the release build; other builds stay in their folders.
all: $(PROGRAMS:%=$(B)/bin/%) $(if $(filter build/release,$(B)),$(PROGRAMS)) ## build every program (the default)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo 'presets:        $(PRESETS)'

# A preset: build, make it the default of ./train, and see to its data.
$(PRESETS): | build/setup
	@echo $@ | cmp -s - build/default-preset || echo $@ > build/default-preset
	@$(MAKE) --no-print-directory all
	@scripts/fetch --if-missing $$(sed -n 's/^dataset *= *//p' experiments/$@.ini)

test: $(TESTS) $(PROGRAMS:%=$(B)/bin/%) ## build and run the tests; TEST=snnl runs those whose name ends so
	@scripts/run-tests $(TESTS)

sanitize: ## the tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory MODE=sanitize test

# A target's name is that of its file, tests/fuzz/fuzz_NAME.c.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: ## libFuzzer on every reader of files, FUZZ_SECONDS=600 each; TARGET=idx for one
	$(if $(filter-out $(FUZZ),$(TARGET)),$(error there is no TARGET=$(TARGET); there are: $(FUZZ)))
	@CC=clang scripts/fuzz check
	@$(MAKE) --no-print-directory CC=clang MODE=fuzz $(addprefix build/fuzz-clang/fuzz-,$(or $(TARGET),$(FUZZ)))
	@scripts/fuzz build/fuzz-clang $(or $(TARGET),$(FUZZ))

valgrind: $(B)/bin/train ## a short training under valgrind
	@tests/valgrind.sh $<

bench: $(addprefix $(B)/,tests/bench/bench_step tests/bench/bench_peak bin/train) ## our times beside PyTorch's; ROW=resnet20-train for one, ALL=1 for slow ones too
	@tests/bench/pairs.sh $^

bench-kernels: $(B)/tests/bench/bench_conv ## times of the convolutions alone
	@$<

bench-peers: $(B)/tests/bench/bench_conv ## our convolutions beside oneDNN's (Debian: libdnnl-dev), layer by layer
	@printf '#include <dnnl.h>\n' | $(CC) -x c -fsyntax-only - 2>/dev/null || \
	    { echo 'bench-peers needs oneDNN: apt-get install libdnnl-dev'; exit 1; }
	@$(MAKE) --no-print-directory $(B)/tests/bench/bench_onednn
	@tests/bench/peers.sh $< $(B)/tests/bench/bench_onednn

# --- installation ---------------------------------------------------------------------------------------

PREFIX  ?= /usr/local
VERSION := $(shell sed -n 's/^\#define NN_VERSION "\(.*\)"/\1/p' framework/version.h)
ABI     := $(shell sed -n 's/^\#define NN_ABI //p' framework/version.h)

install: all $(B)/libentangle.a $(B)/libentangle.so ## library, headers, programs, manual: to PREFIX=/usr/local, below DESTDIR=
	@CC='$(CC)' scripts/stage $(B) $(VERSION) $(ABI) '-fopenmp $(LIBRARY_LIBS)' $(PROGRAMS)
	@scripts/install $(B)/stage '$(DESTDIR)' '$(PREFIX)'

uninstall: ## remove what was installed there
	@scripts/install --remove '$(DESTDIR)' '$(PREFIX)'

# One object in which only what is public has a name.
$(B)/libentangle.a: $(LIBRARY_OBJECTS)
	@$(LD) -r $^ -o $(B)/libentangle.o
	@objcopy --localize-hidden $(B)/libentangle.o
	@rm -f $@ && $(AR) rcs $@ $(B)/libentangle.o

$(B)/libentangle.so: $(LIBRARY_OBJECTS)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,$(@F).$(ABI) -Wl,--no-undefined -Wl,-Bsymbolic-functions \
	    $^ $(LIBRARY_LIBS) -o $@

# System packages, once.
build/setup: scripts/setup
	@scripts/setup
	@mkdir -p build && touch $@

$(LIBRARY): $(LIBRARY_OBJECTS)
$(SHARED): $(SHARED_OBJECTS)
$(LIBRARY) $(SHARED):
	@rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c Makefile | build/setup
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(ALL_CFLAGS) $(PART) $(UNCHECKED) $(ISA) -c $< -o $@

# Of the library only what its headers mark as public is visible (framework/api.h).
$(LIBRARY_OBJECTS): PART := -fPIC -fvisibility=hidden -fno-semantic-interposition

$(B)/framework/kernels/%_avx512.o:  ISA := -mavx512f -mfma -ffp-contract=fast
$(B)/framework/kernels/%_avx2.o:    ISA := -mavx2 -mfma -ffp-contract=fast
$(B)/framework/kernels/%_generic.o: ISA := -ffp-contract=fast
$(B)/tests/bench/bench_peak.o:      ISA := -ffp-contract=fast
# No file is read there, and instrumented for the fuzzer these take minutes to compile; MODE=sanitize is for them.
$(B)/framework/kernels/%.o: UNCHECKED := $(if $(filter fuzz,$(MODE)),-O3 -fno-sanitize=all)
$(B)/experiments/common/version.o:  ISA := -DENTANGLE_SOURCE='"$(SOURCE)"'

# What the programs call themselves: compiled anew when the description of the source changes.
$(B)/version: always
	@mkdir -p $(@D)
	@echo '$(SOURCE)' | cmp -s - $@ || echo '$(SOURCE)' > $@
$(B)/experiments/common/version.o: $(B)/version

# The presets' and studies' texts and the default preset's name, compiled in.
$(B)/presets.c: $(wildcard experiments/*.ini experiments/studies/*.ini) build/default-preset scripts/embed-presets
	@mkdir -p $(@D)
	@scripts/embed-presets > $@
$(B)/presets.o: $(B)/presets.c | build/setup
	@$(CC) $(ALL_CFLAGS) -c $< -o $@
build/default-preset:
	@mkdir -p build && echo shapes_resnet > $@

$(PROGRAMS): %: build/release/bin/%
	@ln -sf $< $@
$(B)/bin/%: $(B)/experiments/%.o $(SHARED) $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $^ $(LIBS) -o $@
$(B)/tests/bench/bench_onednn: LIBS := -ldnnl $(LIBS)
$(B)/tests/bench/%: $(B)/tests/bench/%.o $(SHARED) $(LIBRARY)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $^ $(LIBS) -o $@
# Fuzz targets: all of them in the test that replays their corpora, each alone in libFuzzer's programs.
FUZZ_SUPPORT := $(filter-out tests/fuzz/fuzz_% tests/fuzz/test_% tests/fuzz/libfuzzer.c,$(wildcard tests/fuzz/*.c))
$(B)/tests/fuzz/test_corpora: $(call objects,tests/fuzz/test_corpora.c $(FUZZ_SUPPORT) $(FUZZ:%=tests/fuzz/fuzz_%.c)) $(SHARED) $(LIBRARY)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $^ -lcmocka $(LIBS) -o $@
$(B)/fuzz-%: $(B)/tests/fuzz/fuzz_%.o $(call objects,$(FUZZ_SUPPORT) tests/fuzz/libfuzzer.c) $(SHARED) $(LIBRARY)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@
# These have a memory allocator of their own.
$(filter %/test_out_of_memory,$(TESTS)): $(call objects,$(wildcard tests/support/out_of_memory/*.c))
$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(SHARED) $(LIBRARY)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $^ -lcmocka $(LIBS) -o $@

# What only reads the sources: .clang-tidy and .cppcheck-suppressions say what is not asked for, and why.
CHECKED := framework models datasets experiments tests
HEADERS := $(shell find $(CHECKED) -name '*.h') .clang-tidy tests/.clang-tidy
lint: tidy cppcheck ## clang-tidy and cppcheck

tidy: $(patsubst %.c,build/tidy/%.log,$(filter-out tests/bench/bench_onednn.c,$(call sources,$(CHECKED)))) ## clang-tidy over everything; only what has changed
build/tidy/%.log: %.c $(HEADERS) | build/setup
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=gnu11 -fopenmp -I. -DENTANGLE_SOURCE='""' >$@ 2>&1 || { grep -v ' warnings* generated' $@; exit 1; }

cppcheck: ## cppcheck over everything
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability,style --inline-suppr \
	    --suppressions-list=.cppcheck-suppressions --std=c11 -j $(shell nproc) -I. $(CHECKED)

format: ## clang-format everything
	@clang-format -i $(shell git ls-files '*.[ch]')

check-format: ## fail where clang-format would change something
	@clang-format --dry-run --Werror $(shell git ls-files '*.[ch]')

clean: ## remove what was built (not runs/ nor data/)
	rm -rf build $(PROGRAMS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
