#!/usr/bin/env bash
# Tags HEAD as a version: a commit with the built page, which is HEAD's child and of no branch, so that `go install …@VERSION` has its page
# and the branches no built files. See docs/decisions/release.md.
#   scripts/release/tag.sh v0.1.0 && git push origin v0.1.0
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:?name the version, such as v0.1.0}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "$version is no semantic version" >&2; exit 2; }
[ -z "$(git status --porcelain)" ] || { echo "commit or stash first: 'git status' lists what is changed" >&2; exit 1; }
if ! grep -q "^## ${version#v}" CHANGELOG.md; then
  echo "CHANGELOG.md has no section '## ${version#v}'" >&2
  exit 1
fi
scripts/web.sh
[ -e annotate/page/dist/index.html ] || { echo "the page is not built: install npm" >&2; exit 1; }

index=$(mktemp -u)
trap 'rm -f "$index"' EXIT
export GIT_INDEX_FILE=$index # the tree and its own index stay as they are
git read-tree HEAD
git add -f annotate/page/dist
commit=$(git commit-tree "$(git write-tree)" -p HEAD -m "$version, with the built page")
git tag -a "$version" -m "$version" "$commit"
echo "$version is $(git rev-parse --short "$commit")"
