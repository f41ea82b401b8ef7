#!/usr/bin/env bash
# Builds the annotation page into annotate/page/dist where npm is to be had and the page is older than its source.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f annotate/page/package-lock.json ] || exit 0
if ! command -v npm >/dev/null; then
  echo "npm is missing: the program is built without the annotation page (install nodejs and npm, then 'make web')" >&2
  exit 0
fi
if [ annotate/page/package-lock.json -nt annotate/page/node_modules/.package-lock.json ]; then
  (cd annotate/page && npm ci --no-audit --no-fund --loglevel=error)
fi
go run ./annotate/page/build
