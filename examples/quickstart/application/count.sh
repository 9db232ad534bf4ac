#!/bin/bash
# Usage: count.sh FILE [NUMBER]   prints the NUMBER most frequent words of FILE that are no stop words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

file="${1:?a file is needed}"
number="${2:-10}"
[[ -f build/stop-words ]] || { echo "run ./setup.sh first" >&2; exit 1; }

declare -A stop count
while read -r word; do stop[$word]=1; done <build/stop-words

while read -r line || [[ -n $line ]]; do
  line="${line,,}"
  for word in ${line//[^a-z]/ }; do
    [[ -n ${stop[$word]:-} ]] || count[$word]=$((${count[$word]:-0} + 1))
  done
done <"$file"

for word in "${!count[@]}"; do echo "${count[$word]} $word"; done | sort -k1,1nr -k2,2 | head -n "$number"
