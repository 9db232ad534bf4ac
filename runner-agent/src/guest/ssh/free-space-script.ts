/** Kibibytes at each end of a free extent that are overwritten: the usual cluster of a qcow2 file, of which less cannot be given back. */
const edgeKibibytes = 64

/**
 * Reads what `filefrag -e -b1024 -v` says of a file, and prints offset and length of each part to be overwritten, in words that
 * `dd` takes: both edges of every extent. Edges that follow each other in the file are one part.
 */
export const edgesProgram = `
function put(from, to) {
  if (from != end) { tell(); start = from }
  end = to
}
function tell() { if (end > start) printf "%.0fK %.0fK\\n", start, end - start }
BEGIN { start = end = 0; edge = ${edgeKibibytes} }
/^ *[0-9]+: *[0-9]+[.][.] *[0-9]+: *[0-9]+[.][.]/ {
  gsub(/[:. ]+/, " "); sub(/^ /, "")
  split($0, field, " ")
  from = field[2]; to = field[3] + 1
  if (to - from <= 2 * edge) put(from, to)
  else { put(from, from + edge); put(to - edge, to) }
}
END { tell() }
`

/**
 * Bash functions of which `clear_free_space` leaves nothing of deleted files on the disk. Trimming alone does not: what is free
 * in a cluster that also holds something stays in the disk's file, and so does what the file system has set aside for files
 * to come. So a file takes all that is free, its extents' edges are overwritten with zeros, and the rest is given back.
 */
export const freeSpaceScript = `
clear_free_space() {
  local mount
  while IFS= read -r mount; do
    mount="$(printf '%b' "$mount")"
    [ ! -w "$mount" ] || clear_edges "$mount"
  done < <(findmnt -rn -t ext4,xfs -o TARGET)
  fstrim -a
}
clear_edges() {
  local room="$1/.hearth-room" fill="$1/.hearth-free" reserve reserved= at=0 step from length
  rm -f -- "$room" "$fill"
  # Blocks that ext4 gives to no file.
  reserve="/sys/fs/ext4/$(basename "$(readlink "/sys/dev/block/$(mountpoint -d "$1")")")/reserved_clusters"
  if [ -w "$reserve" ]; then
    reserved="$(cat "$reserve")"
    echo 0 >"$reserve"
  fi
  # What the file system notes of the file needs room too, and that has no old content.
  head -c 4194304 /dev/zero >"$room" 2>/dev/null
  sync -f "$1"
  step=$(stat -f -c '%f %S' -- "$1"); step=$((\${step% *} * \${step#* }))
  while ((step >= 4096)); do
    if fallocate -o "$at" -l "$step" -- "$fill" 2>/dev/null; then ((at += step)); else step=$((step / 2 / 4096 * 4096)); fi
  done
  rm -f -- "$room"
  sync -f "$1"
  filefrag -e -b1024 -v -- "$fill" | awk '${edgesProgram}' | while read -r from length; do
    dd if=/dev/zero of="$fill" bs=64K seek="$from" count="$length" oflag=seek_bytes iflag=count_bytes conv=notrunc status=none
  done
  sync -f "$1"
  rm -f -- "$fill"
  [ -z "$reserved" ] || echo "$reserved" >"$reserve"
  sync -f "$1"
}
`
