import { expect, test } from 'vitest'
import { GroupedOutput } from './grouped-output.ts'

function printed(isOnGitHub: boolean, work: (output: GroupedOutput) => void): string {
  let text = ''
  const terminal = {
    raw: (more: string) => {
      text += more
    },
    tone: (_: unknown, plain: string) => plain,
  }
  work(new GroupedOutput(terminal, isOnGitHub))
  return text
}

test('one task is shown live, the others whole when it is over', () => {
  const text = printed(false, (output) => {
    output.add('build', 'a')
    output.add('lint', 'x\n')
    output.add('build', 'b')
    output.end('lint', 'lint succeeded')
    output.add('test', 'y\n')
    output.end('build', 'build succeeded')
    output.add('test', 'z\n')
    output.end('test', 'test failed')
  })
  expect(text).toBe(
    '==> build\nab\nbuild succeeded\n==> lint\nx\nlint succeeded\n==> test\ny\nz\ntest failed\n',
  )
})

test('a task that printed nothing is told all the same', () => {
  expect(printed(false, (output) => output.end('true', 'true succeeded'))).toBe('==> true\ntrue succeeded\n')
})

test('on GitHub each is a group', () => {
  const text = printed(true, (output) => {
    output.add('build', 'a\n')
    output.end('build', 'build succeeded')
  })
  expect(text).toBe('::group::build\na\n::endgroup::\nbuild succeeded\n')
})
