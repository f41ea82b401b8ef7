# make demo        builds and runs the simulation on synthetic data, about two minutes on two cores
# make demo-serve  builds and opens the annotation page on synthetic data
# make test        runs every test
# make build       builds ./nextslice
# make fuzz        runs every fuzz target for FUZZTIME (default 1m)

SHELL := /bin/bash
FUZZTIME ?= 1m
export CGO_ENABLED ?= 1

.PHONY: demo demo-serve test build web deps test-deps fuzz clean

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

test: test-deps web
	go vet ./...
	CGO_ENABLED=0 go build -o /dev/null ./cmd/nextslice
	go test -timeout 10m ./...

fuzz: deps
	@scripts/fuzz.sh $(FUZZTIME)

clean:
	rm -rf nextslice runs annotate/page/dist annotate/page/node_modules
