// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { quote } from '../../secure-shell/quote.ts'
import { output } from './process-paths.ts'

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
 * little costs no process, and `split` gets the rest whole. Both write at once what was written to them.
 */
export const keepOutput: readonly string[] = [
  'keep_output() {',
  '  local want=1 patience= part code bytes=0 steps=0',
  '  exec {events}>&-',
  `  exec >>"$kept/output/${firstName}"`,
  '  while :; do',
  `    IFS= read -r -d '' -n "$want" $patience part`,
  '    code=$?',
  '    ((bytes += ${#part}))',
  // Reading stopped at a NUL.
  '    if ((code == 0 && ${#part} < want)); then',
  `      printf '%s\\0' "$part"`,
  '      ((bytes += 1))',
  '    else',
  '      printf %s "$part"',
  '    fi',
  '    ((code == 1)) && exit 0',
  `    ((code > 128 && (steps += 1) >= ${output.shortSteps} || bytes >= ${output.shortBytes})) && break`,
  `    want=$((${output.shortBytes} - bytes)) patience='-t 0.02'`,
  '  done',
  '  : >"$folder/handed"',
  '  export HEARTH_SHORT=$bytes HEARTH_STATE=$folder HEARTH_LEDGER=$kept SHELL=/bin/sh',
  `  exec split -b ${segmentBytes} -a 9 --numeric-suffixes=${firstSuffix} --filter=${quote(segmentFilter)} - x`,
  '}',
]
