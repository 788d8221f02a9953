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
#   check                check            unit tests
LIBS := libpcap libnl-3.0 libnl-route-3.0 libnl-genl-3.0 libcmark jansson

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

rooms := base lab decode capture wire record transcript report run kernel
lib_src := $(wildcard $(addprefix tools/,$(addsuffix /*.c,$(rooms)))) $(wildcard netns/*.c)
cmd_src := tools/tcplab.c $(wildcard tools/cmd_*.c)
unit_src := $(wildcard tests/unit/*.c)
live_src := tests/unit/main.c $(wildcard tests/live/*.c)

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

-include $(patsubst %.o,%.d,$(call obj,$(lib_src) $(cmd_src) $(unit_src) $(live_src) $(addprefix tools/,listener.c client.c sniffer.c)))

# ------------------------------------------------------------------------ labs
lab-%: all
	@$(B)/tcplab run $*

# ----------------------------------------------------------------------- tests
.PHONY: test test-unit test-golden test-live
test: test-unit test-golden test-live

test-unit: $(B)/test-unit
	$(call say,TEST,unit) $(B)/test-unit

test-golden: $(B)/tcplab
	$(call say,TEST,golden) TCPLAB=$(B)/tcplab tests/golden/run.sh

# In real namespaces.  What this machine cannot do is skipped, with the reason; with
# TCPLAB_MUST_RUN=1 a skip is a failure.
test-live: $(B)/test-live $(B)/tcplab
	$(call say,TEST,live) TCPLAB=$(B)/tcplab $(B)/test-live

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
build/fuzz/%: build/fuzz/obj/tests/fuzz/%.o $(call fuzz_obj,$(lib_src))
	$(call say,LD,$@) clang $(fuzz_flags),fuzzer -o $@ $^ $(PKG_LIBS)
-include $(patsubst %.o,%.d,$(call fuzz_obj,$(lib_src) $(wildcard tests/fuzz/*.c)))

build/fuzz/%.run: build/fuzz/%
	@mkdir -p build/fuzz/$*.found build/fuzz/$*.corpus
	$(call say,RUN,$<) $< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 \
		-artifact_prefix=build/fuzz/$*.found/ build/fuzz/$*.corpus

# ------------------------------------------------------------------- the rest
.PHONY: clean
clean:
	rm -rf build

help:
	@echo 'make               build tcplab and its companions in build/'
	@echo 'make lab-NAME      build, run the lab and judge it; evidence in out/NAME/'
	@echo 'make test          build and run every test'
	@echo 'make fuzz          fuzz the parsers, FUZZ_SECONDS=20 each (needs clang)'
	@echo 'make clean         remove build/'
