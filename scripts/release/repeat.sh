#!/usr/bin/env bash
# Builds the release of HEAD once more, in a folder of another name and with nothing of the first build, and compares it with dist.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
git clone -q . "$dir/another folder"
(cd "$dir/another folder" && TMPDIR=$dir GOCACHE=$dir/cache scripts/release/build.sh)
diff dist/checksums.txt "$dir/another folder/dist/checksums.txt"
echo "the same bytes"
