import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filesOf, packFolder } from './pack-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-pack-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

test('all files are packed but those that the ignore files leave out', async () => {
  await write({
    'bentocloud.toml': '',
    'app.py': '',
    '.gitignore': 'node_modules/\n*.log\n!keep.log\n/build\n',
    '.hearthignore': 'tests\n',
    '.git/HEAD': '',
    'node_modules/a/index.js': '',
    'run.log': '',
    'keep.log': '',
    'build/out': '',
    'sub/build/out': '',
    'tests/test.py': '',
    'sub/.gitignore': '*.tmp\n!run.log\n',
    'sub/x.tmp': '',
    'sub/run.log': '',
    'x.tmp': '',
  })
  expect(await filesOf(folder)).toEqual([
    '.gitignore',
    '.hearthignore',
    'app.py',
    'bentocloud.toml',
    'keep.log',
    'sub/.gitignore',
    'sub/build/out',
    'sub/run.log',
    'x.tmp',
  ])
})

test('a link is refused by name, unless it is left out', async () => {
  await write({ 'app.py': '' })
  await symlink('/etc/passwd', join(folder, 'secrets'))
  await expect(filesOf(folder)).rejects.toThrow(/^secrets is neither a file nor a folder/)
  await write({ '.hearthignore': 'secrets\n' })
  expect(await filesOf(folder)).toEqual(['.hearthignore', 'app.py'])
})

test('a folder that is no app is refused before anything is sent', async () => {
  await expect(packFolder(join(folder, 'none'))).rejects.toThrow(/^there is no folder/)
  await expect(packFolder(folder)).rejects.toThrow(/there is no bentocloud\.toml/)
  await write({ 'bentocloud.toml': '[processes.web]\nport = 1\ncommand = "x"' })
  await expect(packFolder(folder)).rejects.toThrow(
    /^bentocloud\.toml, line 2, column 1: processes\.web\.port/,
  )
})
