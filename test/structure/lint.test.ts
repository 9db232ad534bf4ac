import { join } from 'node:path'
import { ESLint } from 'eslint'
import { beforeAll, describe, expect, it } from 'vitest'
import { root } from './source-files.ts'

// The text takes the place of a file of the project, so that the type checker knows it; nothing is written.
const standsFor = join(root, 'packages/foundation/src/assert-never.ts')

const floatingPromise = `
async function work(): Promise<void> {}
export function begin(): void {
  work()
}
`
const missingCase = `
type Phase = 'pending' | 'running' | 'failed'
export function isLive(phase: Phase): boolean {
  switch (phase) {
    case 'pending':
      return false
    case 'running':
      return true
  }
  return false
}
`
const withoutFault = `
async function work(): Promise<void> {}
export async function begin(phase: 'pending' | 'running'): Promise<boolean> {
  await work()
  switch (phase) {
    case 'pending':
      return false
    case 'running':
      return true
  }
}
`

describe('the lint that knows types', () => {
  let eslint: ESLint
  beforeAll(() => {
    eslint = new ESLint({ cwd: root })
  })
  const rulesBrokenBy = async (text: string) => {
    const results = await eslint.lintText(text, { filePath: standsFor })
    return results.flatMap(({ messages }) => messages).map(({ ruleId, message }) => ruleId ?? message)
  }

  it('reports a promise that nobody awaits', async () => {
    expect(await rulesBrokenBy(floatingPromise)).toEqual(['@typescript-eslint/no-floating-promises'])
  })

  it('reports a switch that forgets a case', async () => {
    expect(await rulesBrokenBy(missingCase)).toEqual(['@typescript-eslint/switch-exhaustiveness-check'])
  })

  it('reports nothing without a fault', async () => {
    expect(await rulesBrokenBy(withoutFault)).toEqual([])
  })

  it.each([
    'packages/cli/src/main.ts',
    'control-plane/src/main.ts',
    'runner-agent/src/main.ts',
    'test/structure/lint.test.ts',
  ])('covers %s', async (path) => {
    expect(await eslint.isPathIgnored(join(root, path))).toBe(false)
    const { rules } = (await eslint.calculateConfigForFile(join(root, path))) as {
      rules: Record<string, [number]>
    }
    expect(rules['@typescript-eslint/no-floating-promises']?.[0]).toBe(2)
    expect(rules['@typescript-eslint/switch-exhaustiveness-check']?.[0]).toBe(2)
  })
})
