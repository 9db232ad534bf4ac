#!/bin/bash
# Makes what the program needs: the dictionary of stop words, one a line, sorted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mkdir -p build
words="a an and are as at be but by for from he her his in is it its not of on or she so that the then there they this to was were with"
printf '%s\n' $words | sort -u >build/stop-words
echo "dictionary: $(wc -l <build/stop-words) stop words, at $(git rev-parse --short HEAD)"
