// Makes the TypeScript of the dialects' .proto files, in a folder beside theirs.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

const dialects = 'control-plane/src/dialects'
const programs = resolve('node_modules/.bin')

for (const { name } of readdirSync(dialects, { withFileTypes: true })) {
  const folder = join(dialects, name, 'proto')
  if (!existsSync(join(folder, 'buf.gen.yaml'))) continue
  rmSync(join(dialects, name, 'generated'), { recursive: true, force: true })
  execFileSync(join(programs, 'buf'), ['generate'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` },
  })
}
