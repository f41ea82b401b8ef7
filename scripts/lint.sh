#!/usr/bin/env bash
# Runs golangci-lint with .golangci.yml, and compiles it into bin/ where it is not there in the pinned version.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v2.15.0
if ! [ -x bin/golangci-lint ] || ! go version -m bin/golangci-lint | grep -q "golangci-lint/v2[[:space:]]$version[[:space:]]"; then
  echo "compiling golangci-lint $version, which takes minutes" >&2
  GOFLAGS=-trimpath GOBIN=$PWD/bin go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
fi
nice bin/golangci-lint run "$@"
