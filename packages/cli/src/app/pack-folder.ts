import { createReadStream } from 'node:fs'
import { access, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { appConfigurationFaultText, appConfigurationFileName, readAppConfiguration } from '@hearth/contract'
import ignore, { type Ignore } from 'ignore'
import { ZipFile } from 'yazl'
import { CommandError, exitCodes } from '../exit-codes.ts'

const ignoreFiles = ['.gitignore', '.hearthignore']
/** Never part of an app. */
const leftOut = new Set(['.git'])

/** What the ignore files of a folder say of all that is below it. */
interface Rules {
  /** Of the folder, below that of the app; empty for that itself. */
  base: string
  matcher: Ignore
}

/** Paths of the files of an app, below its folder, without those that `.gitignore` and `.hearthignore` leave out. */
export async function filesOf(folder: string): Promise<string[]> {
  const files: string[] = []
  const visit = async (base: string, above: readonly Rules[]): Promise<void> => {
    const matcher = ignore()
    for (const name of ignoreFiles)
      matcher.add(await readFile(join(folder, base, name), 'utf8').catch(() => ''))
    const rules = [...above, { base, matcher }]
    const entries = await readdir(join(folder, base), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${base}${entry.name}`
      if (leftOut.has(entry.name) || isIgnored(entry.isDirectory() ? `${path}/` : path, rules)) continue
      if (entry.isDirectory()) await visit(`${path}/`, rules)
      else if (entry.isFile()) files.push(path)
      else
        throw badFolder(
          `${path} is neither a file nor a folder, and cannot be deployed: leave it out by .hearthignore`,
        )
    }
  }
  await visit('', [])
  return files
}

/** The rules of the folder that is nearest have the last word. */
function isIgnored(path: string, rules: readonly Rules[]): boolean {
  for (const { base, matcher } of rules.toReversed()) {
    const { ignored, unignored } = matcher.test(path.slice(base.length))
    if (ignored || unignored) return ignored
  }
  return false
}

/** The files of an app as a ZIP, made while it is read. Refuses a folder whose configuration is missing or wrong. */
export async function packFolder(
  folder: string,
): Promise<{ files: number; zip: ReadableStream<Uint8Array> }> {
  await access(folder).catch(() => {
    throw badFolder(`there is no folder ${folder}`)
  })
  const text = await readFile(join(folder, appConfigurationFileName), 'utf8').catch(() => {
    throw badFolder(`there is no ${appConfigurationFileName} in ${folder}, which says how the app is run`)
  })
  const { faults } = readAppConfiguration(text)
  if (faults.length > 0) throw badFolder(faults.map(appConfigurationFaultText).join('\n'))
  const files = await filesOf(folder)
  const zip = new ZipFile()
  for (const path of files) {
    const { mode, mtime } = await stat(join(folder, path))
    zip.addReadStreamLazy(path, { mode, mtime }, (done) => done(null, createReadStream(join(folder, path))))
  }
  zip.end()
  return {
    files: files.length,
    zip: Readable.toWeb(zip.outputStream as Readable) as ReadableStream<Uint8Array>,
  }
}

const badFolder = (message: string) => new CommandError(message, exitCodes.badInput)
