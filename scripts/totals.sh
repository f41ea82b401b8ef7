#!/usr/bin/env bash
# Adds up docs/torture.csv, to which each run of make torture adds its lines: how far the goals are.
set -euo pipefail
awk -F, '
  NR > 1 { kind = $3; sub(/ of .*\/?[^ ]* Fuzz.*/, "", kind); tried[kind] += $5; kept[kind] += $6; lost[kind] += $7; runs[kind]++ }
  END {
    for (kind in tried) printf "%-28s %12d in %d runs, %d labels acknowledged, %d lost or wrong\n", kind, tried[kind], runs[kind], kept[kind], lost[kind]
    kills = tried["kills of a server"] + tried["power losses"] + tried["kills of writing commands"] + tried["kills on SLURM"]
    printf "goals: %d of 1,000 kills; %.1f of 100 million inputs\n", kills, tried["inputs"] / 1e6
  }' "$(dirname "$0")/../docs/torture.csv" | sort
