#!/usr/bin/env bash
# Tries --engine torch on a machine with a GPU, in under 8 minutes: `scripts/gpu-check.sh build` makes the programs, static, in .gpu; take that folder
# and this script there, where only a Python with PyTorch is needed, and run `gpu-check.sh`. Everything that is checked is in
# nn/unet/torch; the output, with the times of steps, is also in .gpu/report.txt.
#
#   NEXTSLICE_PYTHON   the Python with PyTorch; else the one that is found
#   NEXTSLICE_DEVICE   cuda:0 by default; cpu rehearses all of it, smaller
set -uo pipefail
cd "$(dirname "$0")/.."
out=.gpu

build() {
  mkdir -p $out
  CGO_ENABLED=0 go test -c -o $out/check ./nn/unet/torch &&
    CGO_ENABLED=0 go build -buildvcs=auto -o $out/nextslice ./cmd/nextslice
}

if [ "${1:-}" = build ]; then
  build
  exit
fi
[ -x $out/check ] && [ -x $out/nextslice ] || build || exit 1
export NEXTSLICE_DEVICE=${NEXTSLICE_DEVICE:-cuda:0} NEXTSLICE_GPU_CHECK=1
rm -rf $out/run
exec > >(tee $out/report.txt) 2>&1
failed=0 more=1
[ "$NEXTSLICE_DEVICE" = cpu ] && more=5 # a rehearsal, perhaps beside other work
check() { # SECONDS TESTS
  echo "== $2"
  timeout $((more * $1)) $out/check -test.v -test.run "^($2)\$" 2>&1 | grep -vE '^=== (RUN|NAME)' | tee $out/part.txt || failed=1
  for name in ${2//|/ }; do grep -q -- "--- PASS: $name " $out/part.txt || { echo "$name did not pass"; failed=1; }; done
}

if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; fi
check 100 'TestUNet|TestFaultsOfPython|TestFaultsOfDevices|TestSeam|TestImports|TestKilledWorker|TestFallback|TestOrphan'
check 90 'TestPaperStep'
check 60 'TestSameBits|TestChecks|TestMasks'
check 90 'TestSpeed'
check 50 'TestMemory|TestTwoWorkers'
echo '== simulate'
simulate() { timeout $((more * 80)) $out/nextslice simulate $out/run.yaml --engine torch --initial-sets 1 --out $out/run "$@" || failed=1; }
steps=300 strategies=random,dropout
[ "$NEXTSLICE_DEVICE" = cpu ] && steps=10 strategies=random
printf 'preset: demo\ntrain: {steps: %d}\n' $steps >$out/run.yaml
simulate --strategies $strategies --cycles 1 --jobs 2
grep engine $out/run/env.json || failed=1
if [ $steps = 300 ]; then # nextslice simulate --strategies random --initial-sets 1 --cycles 0 has 0.282 by the native engine
  rm -rf $out/run
  simulate --strategies random --cycles 0 --precision exact
  grep -A 1 -m 1 dice_3d $out/run/initial/1.json | awk '/value/ { found = 1; exit !($2 + 0 > 0.232 && $2 + 0 < 0.332) } END { if (!found) exit 1 }' ||
    { echo 'dice_3d is not within 0.05 of the native engine'; failed=1; }
fi
[ $failed = 0 ] && echo 'all checks passed' || echo 'SOME CHECKS FAILED'
exit $failed
