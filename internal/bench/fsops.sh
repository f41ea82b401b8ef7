#!/usr/bin/env bash
# Counts the file-system operations of one task in its run folder, by strace, and multiplies them:
#   internal/bench/fsops.sh NEXTSLICE RUN TASK [TASKS]
# RUN is a folder that nextslice simulate --prepare or --slurm made; TASKS is how many such tasks run at the same time. Operations
# in other folders (the data, the program, temporary files) are not counted, nor are calls that no file system sees (fcntl, epoll_ctl, lseek).
set -euo pipefail
program=$1 run=$(realpath "$2") task=$3 tasks=${4:-1}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
begin=$(date +%s.%N)
strace -f -y -qq -e trace=file,desc -o "$log" "$program" unit "$run" "$task" >/dev/null 2>&1
end=$(date +%s.%N)
# A call belongs to the run folder if a path or a descriptor in it does.
grep -F "$run/" "$log" | grep -vE '^[0-9]+ +(fcntl|epoll_ctl|lseek)' | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' | sort | uniq -c |
  awk -v begin="$begin" -v end="$end" -v tasks="$tasks" '
    { kind = "look up, open, stat, close, list"
      if ($2 ~ /^(p?read(64)?|readv)$/) kind = "read"
      if ($2 ~ /^(p?write(64)?|writev)$/) kind = "write"
      if ($2 ~ /^(fsync|fdatasync)$/) kind = "sync"
      if ($2 ~ /^(rename|link|unlink|mkdir|fchmod|chmod|ftruncate)/) kind = "make, rename, remove"
      n[kind] += $1; all += $1 }
    END {
      for (kind in n) printf "%-34s %6d\n", kind, n[kind]
      printf "%-34s %6d in %.0f s; %d tasks like it: %.1f a second\n", "all of one task", all, end - begin, tasks, tasks * all / (end - begin)
    }'
