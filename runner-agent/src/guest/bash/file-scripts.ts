// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { dirname } from 'node:path/posix'
import type { WriteMode } from '@hearth/contract'
import { quote } from '../../secure-shell/quote.ts'
import { processPaths } from './process-paths.ts'

/** Seconds that one program may read: some files of the kernel never say that they have ended. */
const patienceSeconds = 20
const mostHashedBytes = 64 * 1024 * 1024

const refuse = (delimiter: string) => [
  'export LC_ALL=C',
  'refuse() {',
  `  printf '%s refused %s\\n' ${quote(delimiter)} "$1"`,
  '  exit 0',
  '}',
]

/** The bash program that prints a file from an offset on, or the entries of a folder: type, size and name, each ended by NUL. */
export function buildRead(
  path: string,
  { offset, length, mostListedBytes }: { offset: number; length: number; mostListedBytes: number },
  delimiter: string,
): string {
  const within = `timeout ${patienceSeconds}`
  return [
    ...refuse(delimiter),
    `path=${quote(path)} delimiter=${quote(delimiter)}`,
    'if [ -d "$path" ]; then',
    '  [ -r "$path" ] || refuse denied',
    `  printf '%s folder\\n' "$delimiter"`,
    `  ${within} find "$path/" -mindepth 1 -maxdepth 1 -printf '%Y %s %f\\0' 2>/dev/null | head -c ${mostListedBytes}`,
    '  exit 0',
    'fi',
    '[ -e "$path" ] || refuse missing',
    '[ -f "$path" ] || refuse no_file',
    '[ -r "$path" ] || refuse denied',
    'size=$(stat -L -c %s -- "$path") || refuse missing',
    'sum=-',
    `if ((size <= ${mostHashedBytes})); then`,
    `  sum=$(${within} sha256sum <"$path") || refuse too_slow`,
    '  sum=${sum%% *}',
    'fi',
    `printf '%s file %s %s\\n' "$delimiter" "$size" "$sum"`,
    `${within} tail -c +${offset + 1} -- "$path" 2>/dev/null | head -c ${length}`,
    'exit 0',
  ].join('\n')
}

/** The bash program that writes its input, of so many bytes, to a file; nothing of it where the input is cut short. */
export function buildWrite(
  path: string,
  { bytes, mode }: { bytes: number; mode: WriteMode },
  delimiter: string,
  state: string = processPaths.state,
): string {
  const isAppended = mode === 'append'
  return [
    'umask 077',
    ...refuse(delimiter),
    `path=${quote(path)} folder=${quote(`${state}-calls`)}`,
    'mkdir -p -- "$folder" 2>/dev/null && draft=$(mktemp "$folder/write.XXXXXXXX") || refuse full',
    `trap 'rm -f -- "$draft"' EXIT`,
    `head -c ${bytes} >"$draft" 2>/dev/null`,
    `[ "$(stat -c %s -- "$draft")" = ${bytes} ] || refuse full`,
    '[ ! -e "$path" ] || [ -f "$path" ] || refuse no_file',
    ...(mode === 'create' ? ['if [ -e "$path" ] || [ -L "$path" ]; then refuse exists; fi'] : []),
    ...(mode === 'truncate' ? ['[ -e "$path" ] || refuse missing'] : []),
    'umask 022',
    ...(mode === 'truncate' ? [] : [`mkdir -p -- ${quote(dirname(path))} 2>/dev/null || refuse no_folder`]),
    ...(mode === 'create' ? ['set -C'] : []),
    `{ : ${isAppended ? '>>' : '>'}"$path"; } 2>/dev/null || ${mode === 'create' ? '{ [ ! -e "$path" ] || refuse exists; refuse denied; }' : 'refuse denied'}`,
    'set +C',
    'cat -- "$draft" 2>/dev/null >>"$path" || refuse full',
    `printf '%s written\\n' ${quote(delimiter)}`,
    'exit 0',
  ].join('\n')
}
