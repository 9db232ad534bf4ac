// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import { output } from '../bash/process-paths.ts'

const { firstName, segmentBytes, keptAtBothEnds } = output
const firstSuffix = 100_000_000

/**
 * The shell program that `split` starts for each segment. It leaves the id of the process that writes it, for those who
 * follow, and removes the segment that is now in the middle. A full disk costs the rest of a segment, and nothing else.
 */
const segmentFilter = [
  `index=$((\${FILE#x} - ${firstSuffix}))`,
  `at=$((${firstName} + HEARTH_SHORT + index * ${segmentBytes}))`,
  'echo $$ >"$HEARTH_STATE/writer-$at"',
  `gone=$((at - ${keptAtBothEnds + 1} * ${segmentBytes}))`,
  `[ $index -le $((2 * ${keptAtBothEnds})) ] || rm -f "$HEARTH_LEDGER/output/$gone" "$HEARTH_STATE/writer-$gone"`,
  'cat >"$HEARTH_LEDGER/output/$at" || :',
].join('; ')

/**
 * Bash function that keeps what comes on its input. It reads the beginning itself, byte by byte, so that a run that prints
 * little costs no process, and `split` gets the rest whole. Both write at once what was written to them. A `read` that may
 * time out does not say whether it has taken a NUL, so that none of these reads may.
 */
export const keepOutput: readonly string[] = [
  'keep_output() {',
  '  local byte part= bytes=0 waits=0 idle=',
  `  exec >>"$kept/output/${output.firstName}"`,
  `  while IFS= read -r -d '' -n 1 byte; do`,
  // Reading stopped at a NUL.
  `    if [ -n "$byte" ]; then part+=$byte; else printf '%s\\0' "$part"; part=; fi`,
  `    ((bytes += 1, bytes < ${output.shortBytes})) || break`,
  '    until read -t 0; do',
  '      [ -z "$part" ] || { printf %s "$part"; part=; ring; }',
  `      ((waits += 1, waits <= ${output.shortWaits})) || break 2`,
  // Nothing is ever written to it.
  '      [ -n "$idle" ] || { open_pipe; idle=$pipe; }',
  '      read -r -t 0.005 -u "$idle"',
  '    done',
  '  done',
  '  printf %s "$part"',
  `  if ((bytes < ${output.shortBytes} && waits <= ${output.shortWaits})); then`,
  `    printf 'kept ;\\n' >&"$events"`,
  '    exit 0',
  '  fi',
  '  : >"$folder/handed"',
  '  ring',
  '  exec {events}>&-',
  '  [ -z "$bell" ] || exec {bell}>&-',
  '  export HEARTH_SHORT=$bytes HEARTH_STATE=$folder HEARTH_LEDGER=$kept SHELL=/bin/sh',
  `  exec split -b ${segmentBytes} -a 9 --numeric-suffixes=${firstSuffix} --filter=${quote(segmentFilter)} - x`,
  '}',
]
