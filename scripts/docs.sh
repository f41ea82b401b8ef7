#!/usr/bin/env bash
# Builds the site of the documentation into site/html. Its source is a copy of the Markdown in which links to files beside
# docs/ lead to the repository, as such files are not part of the site.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.0.73
venv=site/venv
if ! [ -x $venv/bin/zensical ] || [ "$($venv/bin/zensical --version)" != $version ]; then
  command -v python3 >/dev/null || { echo "make docs needs Python 3.10 or later, with venv" >&2; exit 1; }
  python3 -m venv --clear $venv
  $venv/bin/pip install -q "zensical==$version"
fi

repository=https://github.com/nextslice/nextslice/blob/main
rm -rf site/source site/html
cp -r docs site/source
cp CONTRIBUTING.md CHANGELOG.md site/source
cp README.md site/source/index.md
sed -i -E "s#\]\(docs/([^)]*[^/)])\)#](\1)#g; s#\]\((docs/decisions)/?\)#]($repository/\1)#g; s#\]\(([a-z_]+/?|[A-Za-z_]+\.(go|cff)|SECURITY.md|LICENSE)\)#]($repository/\1)#g; s#\]\(README.md\)#](index.md)#g" \
  site/source/{index,CONTRIBUTING,CHANGELOG}.md
sed -i -E "s#\]\(\.\./#]($repository/#g" site/source/*.md
sed -i -E "s#\]\(\.\./\.\./#]($repository/#g" site/source/*/*.md
$venv/bin/zensical build --clean --strict
echo "site/html; with search: python3 -m http.server -b 127.0.0.1 -d site/html"
