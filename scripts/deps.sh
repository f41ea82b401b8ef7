#!/usr/bin/env bash
# Installs what the build needs and the machine lacks: a C++ compiler. With the word "test" also a browser for the page's
# tests, SLURM's daemons for those of package cluster, Orthanc, dciodvfy and gdcmconv for those of DICOM, and PyTorch for those of nn/unet/torch, which are skipped where
# there is no apt-get; with the word "release" the compilers of `make release` and what `make release-test` tries its programs in, on Debian; with the word
# "onednn" the library that `go build -tags onednn` compares the engine with. Does nothing where all
# is there.
set -euo pipefail

missing=()
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); }

if [ "$(uname)" = Darwin ]; then
  if ! command -v clang++ >/dev/null; then
    echo "nextslice needs a C++ compiler: run 'xcode-select --install'. Without it: CGO_ENABLED=0 make build (slow)." >&2
    exit 1
  fi
  [ "${1:-}" != onednn ] || test -e "$(brew --prefix)/include/oneapi/dnnl/dnnl.hpp" || exec brew install onednn
  exit 0
fi

need g++ command -v "${CXX:-g++}"
case "${1:-}" in
  test)
    need chromium command -v chromium
    if command -v apt-get >/dev/null; then
      for daemon in slurmctld slurmd; do need $daemon env PATH="$PATH:/usr/sbin" which $daemon; done
      need slurm-client command -v squeue
      need munge env PATH="$PATH:/usr/sbin" which munged
      need orthanc env PATH="$PATH:/usr/sbin" which Orthanc
      need orthanc-dicomweb test -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so
      need dicom3tools command -v dciodvfy
      need libgdcm-tools command -v gdcmconv
      need python3-torch test -e /usr/lib/python3/dist-packages/torch
    fi
    ;;
  release)
    need g++-x86-64-linux-gnu command -v x86_64-linux-gnu-g++
    need g++-aarch64-linux-gnu command -v aarch64-linux-gnu-g++
    need g++-mingw-w64-x86-64-posix command -v x86_64-w64-mingw32-g++
    need qemu-user-static command -v qemu-aarch64-static
    need wine64 test -x /usr/lib/wine/wine64
    need debootstrap env PATH="$PATH:/usr/sbin" which debootstrap
    need man-db command -v man
    need xz-utils command -v xz
    if ! command -v npm >/dev/null; then missing+=(npm); fi
    ;;
  onednn) need libdnnl-dev test -e /usr/include/oneapi/dnnl/dnnl.hpp ;;
esac
# schemathesis compares the API with its description. Without Python or a package index that test is skipped.
if [ "${1:-}" = test ] && ! [ -x "$(dirname "$0")/../.venv/bin/schemathesis" ] && command -v python3 >/dev/null; then
  venv=$(dirname "$0")/../.venv
  { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'schemathesis==4.32.5'; } ||
    echo "schemathesis cannot be installed: the test that openapi.json is true is skipped" >&2
fi
# ONNX Runtime runs the networks of ONNX files. Without it their tests are skipped.
if [ "${1:-}" = test ] && command -v python3 >/dev/null; then
  venv=$(dirname "$0")/../.venv
  if ! ls "$venv"/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.* >/dev/null 2>&1; then
    { { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } && "$venv/bin/pip" install -q 'onnxruntime>=1.24'; } ||
      echo "onnxruntime cannot be installed: the tests of networks of ONNX files are skipped" >&2
  fi
fi
# MONAI Label's own Python client is what the protocol is tested with; it needs a Python before 3.13. Without it those tests are skipped.
if [ "${1:-}" = test ] && command -v python3 >/dev/null && python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
  venv=$(dirname "$0")/../.venv
  if ! "$venv/bin/python" -c 'import monailabel.client' >/dev/null 2>&1; then
    { { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } && "$venv/bin/pip" install -q requests && "$venv/bin/pip" install -q --no-deps monailabel==0.8.5; } ||
      echo "MONAI Label's client cannot be installed: the tests that run it are skipped" >&2
  fi
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "nextslice needs ${missing[*]}: install it with this system's package manager. Without a C++ compiler: CGO_ENABLED=0 make build (slow)." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "nextslice needs ${missing[*]}: run 'apt-get install ${missing[*]}' as root." >&2; exit 1; }
  sudo=sudo
fi
echo "installing ${missing[*]}" >&2
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
