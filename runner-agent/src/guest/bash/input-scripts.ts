// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell's
import { basename, dirname } from 'node:path/posix'
import { quote } from '../../secure-shell/quote.ts'
import type { GuestInput } from '../input.ts'

/** Beside the path itself, so that it is renamed; named for its digest, so that another input does not go on with it. */
const draftOf = ({ path, digest }: GuestInput) =>
  `${dirname(path)}/.${basename(path).slice(0, 100)}.${digest.slice(0, 32)}.part`

const preface = (input: GuestInput, delimiter: string) => [
  'export LC_ALL=C',
  'umask 077',
  `path=${quote(input.path)} draft=${quote(draftOf(input))} delimiter=${quote(delimiter)}`,
  `say() { printf '%s %s\\n' "$delimiter" "$1"; exit 0; }`,
  `has_digest() { [ "$(sha256sum <"$1")" = ${quote(`${input.digest}  -`)} ]; }`,
  `size_of() { stat -c %s -- "$1" 2>/dev/null || echo 0; }`,
]

/** The bash program that says `there`, or `draft` and how much of the input came before. */
export function buildInputLook(input: GuestInput, delimiter: string): string {
  return [
    ...preface(input, delimiter),
    `if [ -f "$path" ] && [ ! -L "$path" ] && [ "$(size_of "$path")" = ${input.bytes} ] && has_digest "$path"; then say there; fi`,
    `(umask 022; mkdir -p -- ${quote(dirname(input.path))}) 2>/dev/null || say no_folder`,
    '[ ! -d "$path" ] || say no_file',
    '{ [ -f "$draft" ] && [ ! -L "$draft" ]; } || rm -rf -- "$draft"',
    'size=$(size_of "$draft")',
    `((size <= ${input.bytes})) || { rm -f -- "$draft"; size=0; }`,
    'say "draft $size"',
  ].join('\n')
}

/** The bash program that adds its input, of so many bytes, to what came before; none of it where it is cut short. */
export function buildInputAppend(
  input: GuestInput,
  { offset, bytes }: { offset: number; bytes: number },
  delimiter: string,
): string {
  return [
    ...preface(input, delimiter),
    `[ "$(size_of "$draft")" = ${offset} ] || say moved`,
    `head -c ${bytes} 2>/dev/null >>"$draft"`,
    `[ "$(size_of "$draft")" = ${offset + bytes} ] || { truncate -s ${offset} -- "$draft" 2>/dev/null; say full; }`,
    'say appended',
  ].join('\n')
}

/** The bash program that puts the whole at its path, for its user to read. */
export function buildInputFinish(input: GuestInput, isKnown: boolean, delimiter: string): string {
  return [
    ...preface(input, delimiter),
    `[ "$(size_of "$draft")" = ${input.bytes} ] || say moved`,
    ...(isKnown ? [] : ['has_digest "$draft" || { rm -f -- "$draft"; say mismatch; }']),
    `chown -- ${quote(input.user)} "$draft" 2>/dev/null || say no_user`,
    'chmod 0400 -- "$draft"',
    'mv -f -T -- "$draft" "$path" 2>/dev/null || say no_file',
    'say finished',
  ].join('\n')
}
