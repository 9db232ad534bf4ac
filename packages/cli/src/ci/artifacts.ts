import { mkdir } from 'node:fs/promises'
import { HearthError } from '@hearth/foundation'
import { run } from '../process/run.ts'
import { sshAlias } from '../ssh/configuration.ts'
import { shellQuote } from '../ssh/quote.ts'
import type { Machine } from './machine.ts'

/** Bytes of all artifacts of a task, as they come. */
const mostBytes = 4 * 1024 ** 3

/**
 * Copies what the patterns name below a folder of the machine into a folder here, with its paths; resolves with how many
 * files came. A pattern without a match is left out. tar makes nothing outside of the folder, whatever the machine sends.
 */
export async function copyArtifacts(
  machine: Machine,
  from: { folder: string; patterns: readonly string[] },
  into: string,
  { variables, signal }: { variables: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<number> {
  await mkdir(into, { recursive: true })
  const ssh = [
    'ssh',
    '-F',
    machine.configuration,
    '-T',
    sshAlias,
    '--',
    `bash -c ${shellQuote(packing(from))}`,
  ]
  const unpack = ['tar', '--extract', '--verbose', '--no-same-owner', `--directory=${into}`, '--file=-']
  const words = (program: readonly string[]) => program.map(shellQuote).join(' ')
  const script = `set -o pipefail; ${words(ssh)} | head -c ${mostBytes} | ${words(unpack)}`
  const { exitCode, stdout, stderr } = await run('bash', ['-c', script], { signal, environment: variables })
  signal.throwIfAborted()
  if (exitCode !== 0) throw new HearthError('conflict', `copying the artifacts failed: ${stderr.trim()}`)
  return stdout.split('\n').filter((line) => line !== '').length
}

/** Bash lines that print an archive of the files that are named, each once. */
export function packing({ folder, patterns }: { folder: string; patterns: readonly string[] }): string {
  return [
    `cd -- ${shellQuote(folder)} || exit`,
    'shopt -s nullglob globstar',
    `found=(${patterns.map(asGlob).join(' ')})`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: they are bash's
    'if ((${#found[@]})); then find "${found[@]}" -type f -print0; fi | LC_ALL=C sort -zu |',
    '  tar --create --no-recursion --null --verbatim-files-from --files-from=- --file=-',
  ].join('\n')
}

/** `*` and `?` are patterns, and all else is meant as it stands. */
const asGlob = (pattern: string): string => `./${pattern.replace(/[^*?]+/g, shellQuote)}`
