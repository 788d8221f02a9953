# tcplab.  `make help` says what there is to make.
#
# One Makefile, not recursive.  What it needs beside make and a shell is brought,
# or named, by tools/setup.sh, which writes the compiler's flags to build/config.mk;
# make reads that file and starts again.

VARIANT ?=
B := build$(if $(VARIANT),/$(VARIANT))

.PHONY: all help
all: $(addprefix $(B)/,tcplab listener client sniffer)

# ---------------------------------------------------------------- dependencies
# Why each library is here (Debian's name, then pkg-config's):
#   libpcap-dev          libpcap          live capture, capture files, filter expressions
#   libnl-3-dev          libnl-3.0        netlink messages
#   libnl-route-3-dev    libnl-route-3.0  links, addresses, routes, neighbours
#   libnl-genl-3-dev     libnl-genl-3.0   ethtool netlink: offloads off
#   libcmark-dev         libcmark         labs are CommonMark
#   libjansson-dev       jansson          result.json and events.jsonl, both ways
#   liblzma-dev          liblzma          kernel modules as distributions pack them: xz,
#   libzstd-dev          libzstd          zstd,
#   zlib1g-dev           zlib             gzip; and the checksum of a guest's messages
#   libmd-dev            libmd            SHA-256, for the policy of report.html
#   libncurses-dev       ncursesw         the full screen of `tcplab watch`: any terminal's own codes
#   check                check            unit tests
LIBS := libpcap libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libcmark jansson liblzma libzstd zlib libmd ncursesw

no_config := help clean
ifneq ($(filter-out $(no_config),$(or $(MAKECMDGOALS),all)),)
include build/config.mk
endif

build/config.mk: tools/setup.sh
	@mkdir -p $(@D)
	@sh tools/setup.sh $@

# --------------------------------------------------------------------- compile
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wformat=2 -Wimplicit-fallthrough -Wnull-dereference -Wswitch-enum

variant_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
variant_cov := -O0 --coverage
variant_clang := -O2
ifeq ($(VARIANT),clang)
CC := clang
endif
flags := -std=gnu17 -D_GNU_SOURCE -pthread -Itools -I. $(WARN) $(CFLAGS) $(variant_$(VARIANT))

rooms := base lab decode capture wire record transcript picture report watch run kernel
lib_src := $(wildcard $(addprefix tools/,$(addsuffix /*.c,$(rooms)))) $(wildcard netns/*.c)
cmd_src := tools/tcplab.c $(wildcard tools/cmd_*.c)
unit_src := $(wildcard tests/unit/*.c)
live_src := tests/unit/main.c tests/unit/check_notes.c $(wildcard tests/live/*.c)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

ifndef V
say = @printf '  %-5s %s\n' $(1) $(2);
endif

$(B)/obj/%.o: %.c build/config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(flags) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libtcplab.a: $(call obj,$(lib_src))
	$(call say,AR,$@) rm -f $@ && ar rcs $@ $^

link = $(call say,LD,$@) $(CC) $(flags) -o $@ $^ $(PKG_LIBS)

$(B)/tcplab: $(call obj,$(cmd_src)) $(B)/libtcplab.a
	$(link)
$(B)/listener $(B)/client $(B)/sniffer: $(B)/%: $(B)/obj/tools/%.o $(B)/libtcplab.a
	$(link)
$(B)/test-unit: $(call obj,$(unit_src)) $(B)/libtcplab.a
	$(link) $(PKG_CHECK_LIBS)

$(B)/obj/tests/live/%.o: flags += -Itests/unit
$(B)/test-live: $(call obj,$(live_src)) $(B)/libtcplab.a
	$(link) $(PKG_CHECK_LIBS)

$(B)/bench-wire: $(call obj,tests/bench/wire.c) $(B)/libtcplab.a
	$(link)

$(call obj,tools/report/html_assets.c): tools/report/page.css tools/report/page.js

$(B)/print-labels: $(call obj,tests/golden/print_labels.c) $(B)/libtcplab.a
	$(link)

-include $(patsubst %.o,%.d,$(call obj,$(lib_src) $(cmd_src) $(unit_src) $(live_src) $(addprefix tools/,listener.c client.c sniffer.c) tests/bench/wire.c tests/golden/print_labels.c))

# ------------------------------------------------------------------------ labs
lab-%: all
	@$(B)/tcplab run $*

# --------------------------------------------------------------------- kernels
# For `tcplab run --kernel`; those that the cache has already are left alone.
.PHONY: kernels
kernels: $(B)/tcplab
	@$(B)/tcplab kernel get 6.1 6.12

# ----------------------------------------------------------------------- tests
# Check's limits, 4 s where a test asks for no more, guard against hanging, and are of
# real time: on two processors that fifteen processes wanted, under AddressSanitizer, a test
# of 10 s of work passed its limit of 60 s, and others that take a second came to 3.9 s.
export CK_TIMEOUT_MULTIPLIER ?= 5

.PHONY: test test-unit test-golden test-live test-page test-kernel test-kernels test-edges test-kselftest
test: test-edges test-unit test-golden test-live test-kernel test-kselftest

test-unit: $(B)/test-unit
	$(call say,TEST,unit) $(B)/test-unit

test-golden: $(B)/tcplab $(B)/print-labels
	$(call say,TEST,golden) TCPLAB=$(B)/tcplab tests/golden/run.sh

# In real namespaces.  What this machine cannot do is skipped, with the reason; with
# TCPLAB_MUST_RUN=1 a skip is a failure.
test-live: $(B)/test-live all
	$(call say,TEST,live) TCPLAB=$(B)/tcplab tests/live/run.sh $(B)/test-live
	$(call say,TEST,programs) BUILD=$(B) tests/live/programs.sh
	$(call say,TEST,watch) TCPLAB=$(B)/tcplab tests/live/watch.sh
	$(call say,TEST,writing-labs) TCPLAB=$(B)/tcplab tests/live/writing-labs.sh

# The page of a run in a real browser: needs Chromium, node and npm.
test-page: $(B)/tcplab
	$(call say,TEST,page) TCPLAB=$(B)/tcplab tests/page/run.sh

# In a kernel of the cache, under qemu: what goes wrong there.
test-kernel: $(B)/tcplab
	$(call say,TEST,kernel) TCPLAB=$(B)/tcplab tests/kernel/run.sh faults
# Every lab in each, and a few of them twice; and the two compared.
test-kernels: $(B)/tcplab kernels
	$(call say,TEST,kernels) TCPLAB=$(B)/tcplab TCPLAB_MUST_RUN=1 tests/kernel/run.sh labs 6.1 6.12
	$(call say,TEST,compare) TCPLAB=$(B)/tcplab TCPLAB_MUST_RUN=1 tests/kernel/run.sh compare 6.1 6.12

# What docs/kernel-ci.md offers, with other people's readers.
test-kselftest: $(B)/tcplab
	$(call say,TEST,kselftest) TCPLAB=$(B)/tcplab tests/kselftest/check.sh

# The rooms' dependencies point one way.
test-edges:
	$(call say,TEST,edges) tests/lint/edges.sh --self-test && tests/lint/edges.sh

# How fast, as ratios; what they have to be stands in each script.
.PHONY: bench
benches := $(wildcard tests/bench/bench_*.sh)
bench: all $(B)/bench-wire
	@status=0; for b in $(benches); do \
		printf '  %-5s %s\n' BENCH $$b; TCPLAB=$(B)/tcplab $$b || status=1; \
	done; exit $$status

# ------------------------------------------------------------------------ lint
# clang-tidy (.clang-tidy), cppcheck (tests/lint/cppcheck.txt), shellcheck, and every
# header alone.  Only what has changed is looked at again; takes minutes at first: use -j.
.PHONY: lint lint-cppcheck lint-shell lint-format hdr-check
headers := $(wildcard tools/*.h tools/*/*.h netns/*.h tests/unit/*.h tests/live/*.h)
sources := $(lib_src) $(cmd_src) $(unit_src) $(live_src) $(wildcard tools/*.c tests/fuzz/*.c tests/bench/*.c tests/golden/*.c)
scripts := $(wildcard tools/*.sh tests/*/*.sh tests/golden/*/*.sh .ci/run)
lint: hdr-check lint-cppcheck lint-shell lint-format test-edges $(patsubst %.c,$(B)/lint/%.tidy,$(sort $(sources)))

lint_flags := -std=gnu17 -D_GNU_SOURCE -pthread -Itools -I. -Itests/unit
# How many states of a function the analyzer follows.  Its own 225000 take more than twice the
# time, nearly all of it in a few functions with many branches; for a deeper look now and then.
LINT_NODES ?= 75000
tidy_flags = $(lint_flags) $(PKG_CFLAGS) -Xclang -analyzer-config -Xclang max-nodes=$(LINT_NODES)
$(B)/lint/%.tidy: %.c .clang-tidy $(headers)
	@mkdir -p $(@D)
	$(call say,TIDY,$<) clang-tidy --quiet $< -- $(tidy_flags) 2>$@.err || { cat $@.err; exit 1; }
	@touch $@

# It cannot read __typeof__.
lint-cppcheck:
	$(call say,LINT,cppcheck) cppcheck -q -j2 --enable=warning,performance,portability --std=c11 \
		-D_GNU_SOURCE -D__x86_64__ '-D__typeof__(x)=void *' -Itools -I. -Itests/unit \
		--inline-suppr --suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 \
		tools netns tests/unit tests/live tests/fuzz tests/bench

# Below warning it asks for quotes around lists of words that have to be split.
lint-shell:
	$(call say,LINT,shellcheck) shellcheck -S warning $(scripts)

lint-format:
	$(call say,LINT,clang-format) clang-format --dry-run -Werror $(sort $(sources)) $(headers)

hdr-check: $(patsubst %.h,$(B)/lint/%.h.ok,$(headers))
$(B)/lint/%.h.ok: %.h $(headers)
	@mkdir -p $(@D)
	$(call say,HDR,$<) $(CC) $(flags) -Itests/unit $(PKG_CFLAGS) -fsyntax-only -include $< -x c /dev/null
	@touch $@

# Each tests/fuzz/fuzz_NAME.c with libFuzzer, for FUZZ_SECONDS; what it finds stays
# in build/fuzz/NAME.  Needs clang.
FUZZ_SECONDS ?= 20
fuzzers := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_flags := -std=gnu17 -D_GNU_SOURCE -pthread -Itools -I. -Wall -Wextra -O1 -g \
	-fno-sanitize-recover=all -fsanitize=address,undefined
.PHONY: fuzz
.SECONDARY:
fuzz: $(addsuffix .run,$(fuzzers))

fuzz_obj = $(patsubst %.c,build/fuzz/obj/%.o,$(1))
build/fuzz/obj/%.o: %.c build/config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<) clang $(fuzz_flags),fuzzer-no-link $(PKG_CFLAGS) -MMD -MP -c -o $@ $<
$(call fuzz_obj,tools/report/html_assets.c): tools/report/page.css tools/report/page.js
build/fuzz/%: build/fuzz/obj/tests/fuzz/%.o $(call fuzz_obj,$(lib_src))
	$(call say,LD,$@) clang $(fuzz_flags),fuzzer -o $@ $^ $(PKG_LIBS)
-include $(patsubst %.o,%.d,$(call fuzz_obj,$(lib_src) $(wildcard tests/fuzz/*.c)))

build/fuzz/%.run: build/fuzz/%
	@mkdir -p build/fuzz/$*.found build/fuzz/$*.corpus
	$(call say,RUN,$<) $< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 \
		-artifact_prefix=build/fuzz/$*.found/ build/fuzz/$*.corpus

# ------------------------------------------------------------------- the rest
# With other goals, as in `make -j clean all`, it comes first, and what make has read
# already is made again.
.PHONY: clean
goals_besides_clean := $(filter-out $(no_config),$(MAKECMDGOALS))
clean:
	rm -rf build
	$(if $(goals_besides_clean),@mkdir -p build && sh tools/setup.sh build/config.mk)
ifneq ($(and $(filter clean,$(MAKECMDGOALS)),$(goals_besides_clean)),)
.NOTPARALLEL:
endif

help:
	@echo 'make               build tcplab and its companions in build/'
	@echo 'make lab-NAME      build, run the lab and judge it; evidence in out/NAME/'
	@echo 'make kernels       fetch Linux 6.1 and 6.12 for `tcplab run --kernel`'
	@echo 'make test          build and run every test'
	@echo 'make test-page     report.html in a headless Chromium (needs node and npm)'
	@echo 'make test-kernels  every lab inside Linux 6.1 and 6.12, under qemu, on a virtual clock'
	@echo 'make fuzz          fuzz the parsers, FUZZ_SECONDS=20 each (needs clang)'
	@echo 'make bench         what is fast, as ratios to what it is compared with'
	@echo 'make lint          clang-tidy, cppcheck, shellcheck, clang-format, headers alone'
	@echo 'make clean         remove build/'
	@echo
	@echo 'make VARIANT=asan …  the same with sanitizers, in build/asan/ (clang, cov: likewise)'
	@echo 'make V=1 …           show each command'
