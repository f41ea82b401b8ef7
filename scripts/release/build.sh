#!/usr/bin/env bash
# Builds what a release consists of into the folder dist, from a clean tree: the same commit and the same compilers make the same bytes.
# Prerequisites: scripts/deps.sh release. See docs/decisions/release.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -n "$(git status --porcelain)" ]; then
  echo "make release: the tree has changes that are not committed: commit or stash them ('git status' lists them)" >&2
  exit 1
fi
dist=$PWD/dist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A clone has what is committed and nothing else.
git clone -q --shared . "$work/nextslice"
cd "$work/nextslice"
scripts/web.sh
if ! [ -e annotate/page/dist/index.html ]; then
  echo "make release: the page is not built: install npm" >&2
  exit 1
fi
if [ -n "$(git status --porcelain)" ]; then
  echo "make release: the page of this tag is not what its source builds" >&2
  exit 1
fi

# A tag is a version; anything else comes before the next one.
commit_time=$(git show -s --format=%ct HEAD)
if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
  version=${tag#v}
else
  version=0.0.0~git$(TZ=UTC git show -s --format=%cd --date=format-local:%Y%m%d%H%M%S HEAD).$(git rev-parse --short=12 HEAD)
fi
export SOURCE_DATE_EPOCH=$commit_time VERSION=$version
export GOFLAGS="-trimpath -buildvcs=true -mod=readonly" GOWORK=off CGO_ENABLED=1 LC_ALL=C.UTF-8 TZ=UTC
umask 022

mkdir dist

# The C and C++ runtimes are part of every program, so that it needs none of the machine's libraries, of whatever age.
build() { # GOOS GOARCH GNU's name of the system, file
  echo "$4" >&2
  GOOS=$1 GOARCH=$2 CC=$3-gcc CXX=$3-g++ nice -n 10 go build -tags netgo,osusergo \
    -ldflags '-s -w -linkmode external -extldflags "-static"' -o "dist/$4" ./cmd/nextslice
}
build linux amd64 x86_64-linux-gnu nextslice-linux-amd64
build linux arm64 aarch64-linux-gnu nextslice-linux-arm64
build windows amd64 x86_64-w64-mingw32 nextslice.exe

# The Debian packages, with the manual pages and completions of the program itself.
here=dist/nextslice-linux-$(go env GOHOSTARCH)
mkdir -p "$work/man" "$work/completion"
"$here" manual "$work/man"
gzip -9n "$work"/man/*.1
gzip -9nc CHANGELOG.md >"$work/changelog.gz"
"$here" completion bash >"$work/completion/nextslice"
"$here" completion zsh >"$work/completion/_nextslice"
"$here" completion fish >"$work/completion/nextslice.fish"
{
  printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: nextslice\n\nFiles: *\nCopyright: The nextslice developers\nLicense: Apache-2.0\n On Debian systems the licence is in /usr/share/common-licenses/Apache-2.0.\n Of what the program is made of: nextslice licences\n'
} >"$work/copyright"
find "$work/man" "$work/completion" "$work/copyright" "$work/changelog.gz" -exec touch -h -d "@$commit_time" {} +
tool() { GOFLAGS=-trimpath CGO_ENABLED=0 go tool -modfile=scripts/release/tools.mod "$@"; }
for arch in amd64 arm64; do
  ARCH=$arch WORK=$work tool nfpm package --packager deb --config scripts/release/nfpm.yaml --target "dist/nextslice_${version}_$arch.deb" >&2
done

# What it consists of: the Go modules of the program, and the npm packages of the page.
tool cyclonedx-gomod bin -json -std -noserial -notimestamp -version "v$version" -output "$PWD/dist/nextslice.cdx.json" "$here" >&2
# npm sbom came with npm 10; the file names the version that made it.
(cd annotate/page && npm exec --yes --package npm@10.9.2 -- npm sbom --sbom-format cyclonedx --omit dev --package-lock-only) |
  node -e 'const b = JSON.parse(require("fs").readFileSync(0)); delete b.serialNumber; delete b.metadata.timestamp; console.log(JSON.stringify(b, null, 2))' \
    >dist/nextslice-page.cdx.json
touch -d "@$commit_time" dist/*
(cd dist && sha256sum -- * >"$work/checksums.txt" && cp "$work/checksums.txt" .)
rm -rf "$dist"
cp -a dist "$dist"
ls -l "$dist" >&2
