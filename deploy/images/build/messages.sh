# What the person who builds an image reads. Sourced by build-base-image.sh.

say() { echo "base-image: $*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# phase NAME FUNCTION: runs one phase and says how many seconds it took.
# What the phase prints is kept back and shown only when it fails.
phase() {
  local started=$EPOCHREALTIME log="$work/phase.log"
  say "$1 ..."
  # Not in a condition: bash would switch `set -e` off inside the function.
  failed_phase="$1" failed_log="$log"
  "$2" >"$log" 2>&1
  failed_phase=""
  say "$1: $(seconds_since "$started") s"
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

remove_work() {
  local status=$?
  if [[ -n ${failed_phase:-} && $status -ne 0 ]]; then
    say "error: $failed_phase failed (status $status); its last lines:"
    tail -n 20 "$failed_log" >&2
  fi
  rm -rf --one-file-system "$work"
}
