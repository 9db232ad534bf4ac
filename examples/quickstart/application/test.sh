#!/bin/bash
# Runs every case: texts/NAME.txt must count as tests/cases/NAME says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

passed=0 failed=0
for case in tests/cases/*; do
  name="$(basename "$case")"
  if diff <(./count.sh "texts/$name.txt" 3) "$case"; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "not ok  $name"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
