import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { run } from './command.ts'

/** A page of Debian's Chromium with an empty profile, which trusts an authority as if a person had imported it. */
export interface OpenedPage extends AsyncDisposable {
  page: Page
}

export async function openPage(ca: string): Promise<OpenedPage> {
  const home = await mkdtemp(join(tmpdir(), 'hearth-chromium-'))
  let browser: Browser | undefined
  try {
    await trust(home, ca)
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      env: { HOME: home, PATH: process.env.PATH ?? '' },
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
        ...['--disable-background-networking', '--disable-component-update'],
      ],
    })
    const opened = browser
    return {
      page: await opened.newPage(),
      async [Symbol.asyncDispose]() {
        await opened.close()
        await rm(home, { recursive: true })
      },
    }
  } catch (thrown) {
    await browser?.close()
    await rm(home, { recursive: true })
    throw thrown
  }
}

/** Where Chromium looks for authorities beside its own. */
async function trust(home: string, ca: string): Promise<void> {
  const database = join(home, '.pki/nssdb')
  const file = join(home, 'authority.crt')
  await writeFile(file, ca)
  await run(['mkdir', '-p', database])
  await run(['certutil', '-N', '-d', `sql:${database}`, '--empty-password'])
  await run(['certutil', '-A', '-d', `sql:${database}`, '-n', 'Hearth', '-t', 'C,,', '-i', file])
}
