// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { createHash } from 'node:crypto'
import type { ToolchainStep } from './folder.ts'

/** How a step ends whose machine has not what its toolchain needs: no fault of the program. */
export const unusableExitCode = 125

/**
 * The command of one step: what came as an archive is unpacked, once for all steps, so that a build finds what a check has left and a run
 * what a build has made; then its line becomes the command, in the folder of the program.
 */
export function scriptOf({ line, needs }: ToolchainStep, configured: string | null): string {
  const programs = ['tar', ...needs]
  return [
    'unusable() {',
    `  printf '%s\\n' "$*" >&2`,
    `  exit ${unusableExitCode}`,
    '}',
    `for program in ${programs.join(' ')}; do`,
    '  command -v "$program" >/dev/null || unusable "the image of this machine has no $program, which the toolchain of this pipeline needs: choose an environment class whose image has it, as debian-12-web"',
    'done',
    'if [[ ! -d $PIPELINE_FOLDER ]]; then',
    '  draft=$PIPELINE_FOLDER.part',
    '  { rm -rf -- "$draft" && mkdir -p -- "$draft" && tar -x -o -f "$PIPELINE_ARCHIVE" -C "$draft" && sync -f -- "$draft" && mv -T -- "$draft" "$PIPELINE_FOLDER"; } ||',
    '    unusable "the program could not be unpacked to $PIPELINE_FOLDER"',
    'fi',
    'export PIPELINE_TOOLCHAIN=$PIPELINE_FOLDER/toolchain PIPELINE_PROGRAM=$PIPELINE_FOLDER/program/code',
    ...(configured === null ? [] : [`PIPELINE_LINE=${hereText(configured)}`, 'export PIPELINE_LINE']),
    'cd -- "$PIPELINE_FOLDER/program" || unusable "the program is not in $PIPELINE_FOLDER"',
    line,
    '',
  ].join('\n')
}

/** Any text as a word of the shell that is as long as it is, up to some bytes; its comments stay lines of their own. */
function hereText(text: string): string {
  // No text has its own digest in it.
  const end = `END_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
  return `$(cat <<'${end}'\n${text}\n${end}\n)`
}
