#!/usr/bin/env bash
# Does what docs/tutorial.md says, with a mouse in a headless browser, and writes its pictures into docs/images.
set -euo pipefail
cd "$(dirname "$0")/.."
make --no-print-directory test-deps web
NEXTSLICE_TUTORIAL=1 NEXTSLICE_SCREENSHOTS=$PWD/docs/images go test -count 1 -timeout 30m -v -run '^TestTutorial$' ./annotate/page
