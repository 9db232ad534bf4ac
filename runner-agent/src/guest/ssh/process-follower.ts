import { output } from '../bash/process-paths.ts'

/** Seconds between two looks at what has no event: often at first, since most runs are short. */
const looking = { often: 0.02, times: 50, seldom: 0.1 }

/**
 * The bash function that prints a run from an offset of its output on until it ends. Between the output's bytes are records:
 * the delimiter, which no output contains, a blank, and
 *
 * - `at OFFSET` and a newline: the next byte of the output has this offset;
 * - `ready TIME` and a newline;
 * - `ended` and a newline, what is known of the run as one `name value` per line, and an empty line.
 *
 * Each record is written at once, so that nothing comes inside it; it may stand anywhere in the output that `tail` prints.
 */
export const followerFunctions: readonly string[] = [
  'say() { printf \'%s %s\\n\' "$delimiter" "$1"; }',
  // Sets `segment` to the file to be printed next, `skip` to how much of it is not wanted, and `closed` if it grows no more.
  'choose_segment() {',
  '  local path at newer=',
  '  segment= skip=0',
  `  for path in "$kept"/output/1*; do`,
  '    [ -e "$path" ] || continue',
  `    at=$((\${path##*/} - ${output.firstName}))`,
  '    ((at <= printed)) && continue',
  '    if [ -z "$segment" ]; then segment=$at',
  '    elif ((printed < 0 && at <= offset)); then segment=$at',
  '    else newer=1; break; fi',
  '  done',
  '  ((printed < 0 && offset > segment)) && skip=$((offset - segment))',
  '  closed=$over$newer',
  '  [ "$segment" = 0 ] && [ -e "$folder/handed" ] && closed=1',
  '  [ -n "$segment" ]',
  '}',
  // Prints what has been added to a file that is open, whatever its bytes.
  'print_rest() {',
  '  local part',
  `  while IFS= read -r -d '' part; do printf '%s\\0' "$part"; done <&"$short"`,
  '  printf %s "$part"',
  '}',
  // Prints more of the output, and fails when there is none for now.
  'print_more() {',
  '  local file pid',
  '  if [ -n "$tail" ]; then',
  '    goes_on "$tail" && return 1',
  '    tail= printed=$segment',
  '  fi',
  '  choose_segment || return',
  `  file=$kept/output/$((${output.firstName} + segment))`,
  '  [ "$announced" = "$segment" ] || { say "at $((segment + skip))"; announced=$segment; }',
  '  if ((segment == 0 && skip == 0)); then',
  '    [ -n "$short" ] || exec {short}<"$file"',
  '    print_rest',
  '    [ -n "$closed" ] && printed=0',
  '  elif [ -n "$closed" ]; then',
  '    tail -c +"$((skip + 1))" "$file" 2>/dev/null',
  '    printed=$segment',
  '  else',
  // Who writes it ends with it.
  `    { read -r pid <"$folder/writer-$((${output.firstName} + segment))"; } 2>/dev/null || return`,
  '    tail -c +"$((skip + 1))" -f -s 0.1 --pid="$pid" "$file" 2>/dev/null &',
  '    tail=$!',
  '    return 1',
  '  fi',
  '}',
  'follow() {',
  '  local tail= segment= skip= closed= short= announced= printed=-1 looks=0 time known ending is_last',
  `  trap '[ -z "$tail" ] || kill "$tail" 2>/dev/null' EXIT`,
  '  while :; do',
  // A supervisor that was killed is noticed more seldom.
  '    if [ -s "$folder/ended" ] || ((looks % 20 == 0)); then conclude; fi',
  '    if [ -z "$time" ] && [ -s "$folder/ready" ]; then read -r time <"$folder/ready"; say "ready $time"; fi',
  '    is_last=$over',
  '    while print_more; do :; done',
  '    [ -n "$is_last" ] && [ -z "$tail" ] && break',
  // Who started the run is rung for.
  `    ((looks += 1, looks <= ${looking.times})) && [ -z "$bell" ] && pause ${looking.often} || pause ${looking.seldom}`,
  '  done',
  '  if [ -e "$folder/said" ]; then say "at $offset"; read -r ending <"$folder/said"; printf \'%s\\n\' "$ending"; fi',
  '  read_known',
  `  printf '%s ended\\nnumber %s\\n%s%s\\n' "$delimiter" "$number" "$known" "$ending"`,
  '}',
]
