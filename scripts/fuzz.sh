#!/usr/bin/env bash
# Runs every fuzz target of the module, or those that FUZZ names (a pattern of "folder target"), for the given time (such as 1m), one after the
# other, in PARALLEL workers (2). What each has tried is a line of the file that NEXTSLICE_TOTALS names. A target that fails does not keep the others
# from running; the exit status is 1 then.
set -uo pipefail
cd "$(dirname "$0")/.."
time=${1:-1m}
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while read -r dir target; do
  echo "== $dir $target ($time)"
  crashes=0
  go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 2s -parallel "${PARALLEL:-2}" | tee "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || { crashes=1 failed=1; }
  tried=$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1 | cut -d ' ' -f 2)
  if [ -n "${NEXTSLICE_TOTALS:-}" ] && [ -n "$tried" ]; then
    echo "$(date -u +%F),$(git describe --always --dirty 2>/dev/null),inputs of ${dir#./} $target,$time,$tried,0,$crashes" >> "$NEXTSLICE_TOTALS"
  fi
done < <(grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | sed "s|func |$(dirname "$file") |"
done | grep -E "${FUZZ:-.}")
exit $failed
