# make demo        builds and runs the simulation on synthetic data, about two minutes on two cores
# make demo-serve  builds and opens the annotation page on synthetic data
# make test        runs every test
# make vet         looks for what the compiler lets through
# make build       builds ./nextslice
# make docs        builds the documentation as a site into site/html
# make lint        runs golangci-lint
# make release     builds the programs and packages of a release into dist, from a clean tree
# make release-test  tries them: under QEMU, Wine and in a fresh Debian
# make gpu-check   tries --engine torch on this machine's GPU; NEXTSLICE_DEVICE=cpu rehearses it
# make bench-first-label  measures the time from the program to the first label
# make bench-clone  the same from a clone without a build cache, with the build
# make bench-page  measures the annotation page with a scripted annotator, over SLICES slices (default 500); PART is Slices, Pointer, Next or Memory alone
# make fuzz        runs every fuzz target for FUZZTIME (default 1m)
# make torture     kills what can be killed at random for TIME (default 10m), and compares what comes of it

SHELL := /bin/bash
FUZZTIME ?= 1m
SLICES ?= 500
PART ?=
TIME ?= 10m
export CGO_ENABLED ?= 1
# Names and users are looked up by Go itself, with and without cgo: what is compiled for one is there for the other.
export GOFLAGS := $(GOFLAGS) -tags=netgo,osusergo

.PHONY: demo demo-serve bench-page bench-first-label bench-clone test vet build web deps test-deps docs lint release release-deps release-test release-repeat gpu-check fuzz torture torture-server torture-power torture-writes torture-soak torture-scale torture-inputs torture-slurm clean

build: deps web
	go build -buildvcs=auto -o nextslice ./cmd/nextslice

# A C++ compiler, all that the build needs besides Go.
deps:
	@scripts/deps.sh

# The annotation page. Without npm the program builds all the same and the page says what is missing.
web:
	@scripts/web.sh

demo: build
	./nextslice simulate --out runs/demo-$$(date +%Y%m%d-%H%M%S)

demo-serve: build
	mkdir -p runs && cd runs && ../nextslice serve --demo

test-deps: deps
	@scripts/deps.sh test

# Without debugging information the test programs are linked in a third of the time. Some packages wait more than they compute: one beyond
# the processors keeps these busy.
test: test-deps web
	go test -vet=off -ldflags=-w -p $$(($$(getconf _NPROCESSORS_ONLN) + 1)) -timeout 10m ./...
	CGO_ENABLED=0 go build -o /dev/null ./cmd/nextslice

# Wants a quiet machine. It prints the tables of docs/performance.md.
bench-page: deps web
	@NEXTSLICE_BENCH_PAGE=$(SLICES) go test -vet=off -count 1 -timeout 0 -v -run '^TestBenchPage$$/^$(PART)' ./annotate/page

bench-first-label: deps web
	NEXTSLICE_BENCH_FIRST=1 go test -vet=off -count=1 -run '^TestBenchFirstLabel$$' -v ./annotate/page

# The clone is of what is committed. Modules of Go and packages of npm come from their caches where they are there, nothing else does.
bench-clone: deps web
	@NEXTSLICE_BENCH_CLONE="$(CURDIR)" go test -vet=off -count=1 -timeout 30m -run '^TestBenchClone$$' -v ./annotate/page

# What the compiler lets through: of this and of all that it is built from, which takes longer than to test it.
vet: deps
	go vet ./...

release-deps: deps
	@scripts/deps.sh release

release: release-deps
	@scripts/release/build.sh

release-test: release-deps
	NEXTSLICE_RELEASE=$(CURDIR)/dist nice go test -count 1 -timeout 15m -v ./internal/releasetest

# The same commit in another folder makes the same bytes.
release-repeat: release-deps
	@scripts/release/repeat.sh

# Needs Python and, the first time, a package index.
docs:
	@scripts/docs.sh

# The linter is compiled the first time, which takes minutes; not part of make test.
lint: deps
	@scripts/lint.sh

# For a machine without Go: scripts/gpu-check.sh build, and the folder .gpu with the script there.
gpu-check:
	@scripts/gpu-check.sh build
	@scripts/gpu-check.sh

fuzz: deps
	@scripts/fuzz.sh $(FUZZTIME)

torture: torture-server torture-power torture-writes torture-soak torture-scale torture-inputs torture-slurm

# What these have tried is added to this file, which scripts/totals.sh adds up.
torture-server torture-power torture-writes torture-soak torture-inputs: export NEXTSLICE_TOTALS ?= $(CURDIR)/docs/torture.csv

# A server that is killed while four people save; power losses inside a system call; every writing command killed inside a write, a sync or a
# rename and run again; one server's memory; a project of 1,000 cases and 10,000 labels; the fuzz targets. Each takes TIME.
torture-server torture-power torture-writes torture-soak: deps
	NEXTSLICE_TORTURE=$(TIME) nice go test -count 1 -timeout 0 -v -run "^TestTorture$$(echo $@ | sed 's/torture-\(.\)/\U\1/')$$" ./cmd/nextslice

torture-scale: deps
	NEXTSLICE_SCALE=1000 nice go test -count 1 -timeout 0 -v -run '^TestScale$$' ./annotate/server

torture-inputs: deps
	@scripts/fuzz.sh $(TIME)

# An experiment on SLURM whose nodes, daemons, tasks and submitter are killed at random.
torture-slurm: test-deps
	NEXTSLICE_TORTURE=$(TIME) nice go test -count 1 -timeout 0 -v -run '^TestTorture$$' ./cluster

clean:
	rm -rf nextslice runs dist site annotate/page/dist annotate/page/node_modules
