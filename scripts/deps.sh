#!/usr/bin/env bash
# Installs what the build needs and the machine lacks: oneDNN, a C++ compiler, git and, with the word "test", a browser
# for the page's tests. Does nothing where all is there.
set -euo pipefail

missing=()
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); }

if [ "$(uname)" = Darwin ]; then
  need onednn test -e "$(brew --prefix 2>/dev/null)/include/oneapi/dnnl/dnnl.hpp"
  [ ${#missing[@]} -eq 0 ] && exit 0
  if ! command -v brew >/dev/null; then
    echo "nextslice needs oneDNN: install Homebrew, then 'brew install onednn'. Without it: CGO_ENABLED=0 make build (slow)." >&2
    exit 1
  fi
  exec brew install "${missing[@]}"
fi

need g++ command -v g++
need libdnnl-dev test -e /usr/include/oneapi/dnnl/dnnl.hpp
[ "${1:-}" = test ] && need chromium command -v chromium
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "nextslice needs ${missing[*]} (oneDNN's headers and a C++ compiler): install them with this system's package manager. Without them: CGO_ENABLED=0 make build (slow)." >&2
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
