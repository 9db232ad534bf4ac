import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appConfigurationSchema } from './app-configuration.ts'
import { appConfigurationFaultText, readAppConfiguration } from './app-configuration-file.ts'
import { leastProcessorMilliseconds } from './processor-time.fixture.ts'

const whole = `
[app]
name = "shop"
runtime = "python"

[deploy]
release_commands = ["python3 manage.py migrate", "echo released"]

[processes.web]
command = "gunicorn shop:app"
uat_command = "gunicorn --reload shop:app"
http = true
http_port = 5000
uat_http_port = 5001
health_check = "/healthz"
instances = 2

[processes.api]
command = "python3 api.py"
http = true
http_path = "/api/"

[processes.scheduler]
command = "python3 scheduler.py"
singleton = true

[resources]
cpu = "0.5"
memory = "512MB"

[resources.web]
cpu = 2
memory = "1GB"
`

test('reads all that a file may say', () => {
  const { configuration, faults } = readAppConfiguration(whole)
  expect(faults).toEqual([])
  expect(appConfigurationSchema.parse(configuration)).toEqual(configuration)
  expect(configuration).toEqual({
    name: 'shop',
    runtime: 'python3',
    releaseCommands: ['python3 manage.py migrate', 'echo released'],
    processes: {
      web: {
        command: 'gunicorn shop:app',
        uatCommand: 'gunicorn --reload shop:app',
        http: { port: 5000, uatPort: 5001, path: '/', healthCheck: '/healthz' },
        instances: 2,
        isSingleton: false,
        cpus: 2,
        memoryMebibytes: 1_024,
      },
      api: {
        command: 'python3 api.py',
        uatCommand: null,
        http: { port: 8000, uatPort: 8000, path: '/api', healthCheck: null },
        instances: 1,
        isSingleton: false,
        cpus: 0.5,
        memoryMebibytes: 512,
      },
      scheduler: {
        command: 'python3 scheduler.py',
        uatCommand: null,
        http: null,
        instances: 1,
        isSingleton: true,
        cpus: 0.5,
        memoryMebibytes: 512,
      },
    },
  })
})

test('a process and its command are enough', () => {
  expect(readAppConfiguration('processes.web = { command = "node server.js" }').configuration).toMatchObject({
    name: null,
    runtime: null,
    releaseCommands: [],
    processes: { web: { http: null, instances: 1, cpus: null, memoryMebibytes: null } },
  })
})

const web = '[processes.web]\ncommand = "x"\n'
test.each<[what: string, text: string, told: string]>([
  ['nothing at all', '', 'line 1, column 1: processes: must have a process, such as [processes.web]'],
  ['no process', '[processes]', 'line 1, column 1: processes: must have a process, such as [processes.web]'],
  [
    'a table that is not there',
    `${web}[proceses.web]`,
    'line 3, column 1: proceses: there is no such field; there are app, deploy, processes, resources',
  ],
  [
    'a field that is not there',
    `${web}port = 80`,
    'line 3, column 1: processes.web.port: there is no such field; there are command, uat_command, http, http_port, uat_http_port, http_path, health_check, instances, singleton',
  ],
  ['no command', '[processes.web]\nhttp = true', 'line 1, column 1: processes.web.command: must be text'],
  [
    'an empty command',
    '[processes.web]\ncommand = " "',
    'line 2, column 1: processes.web.command: must not be empty',
  ],
  [
    'an unknown runtime',
    `[app]\nruntime = "php"\n${web}`,
    'line 2, column 1: app.runtime: must be python3, python or nodejs',
  ],
  [
    'a port of root',
    `${web}http = true\nhttp_port = 80`,
    'line 4, column 1: processes.web.http_port: must be between 1024 and 65535',
  ],
  [
    'a port without requests',
    `${web}http_port = 8000`,
    'line 3, column 1: processes.web.http_port: is only for a process with http = true',
  ],
  [
    'no memory',
    `${web}[resources]\nmemory = "8MB"`,
    'line 4, column 1: resources.memory: must be a size such as "512MB" or "2GB", of at least 16MB',
  ],
  [
    'no processors',
    `${web}[resources.web]\ncpu = "0"`,
    'line 4, column 1: resources.web.cpu: must be a number of processors between 0.05 and 256, such as "0.5"',
  ],
  [
    'resources of nothing',
    `${web}[resources.worker]\ncpu = 1`,
    'line 3, column 1: resources.worker: must be the name of a process (web), or cpu or memory for all',
  ],
  [
    'a singleton twice',
    `${web}singleton = true\ninstances = 2`,
    'line 4, column 1: processes.web.instances: must be 1, since singleton is true',
  ],
  [
    'two for all requests',
    `${web}http = true\n[processes.api]\ncommand = "y"\nhttp = true`,
    'line 4, column 1: processes.api.http_path: must differ from that of web: both get the requests for /',
  ],
  [
    'too many instances',
    `${web}instances = 17`,
    'line 3, column 1: processes.web.instances: must be between 1 and 12',
  ],
  [
    'a name with capitals',
    '[processes.Web]\ncommand = "x"',
    'line 1, column 1: processes.Web: must be a name of lower-case letters, digits and inner hyphens',
  ],
  ['no TOML', 'processes: web', 'line 1, column 10: Unexpected character'],
  ['a text without end', '[app]\nname = "shop', 'line 2, column 13: Unterminated string constant'],
  ['a key twice', `${web}command = "y"`, 'line 3, column 1: Defining a key multiple times is invalid'],
])('%s: is refused with its place', (_, text, told) => {
  const { configuration, faults } = readAppConfiguration(text)
  expect(configuration).toBeNull()
  expect(faults.map(appConfigurationFaultText)).toContain(`bentocloud.toml, ${told}`)
})

test('more processes and instances than a release may have are refused', () => {
  const many = (count: number, more: string) =>
    readAppConfiguration(
      Array.from({ length: count }, (_, n) => `[processes.p${n}]\ncommand = "x"\n${more}`).join('\n'),
    ).faults.map(({ message }) => message)
  const rule =
    'must have at most 12 instances of all processes together, since two releases of both spaces are'
  expect(many(12, '')).toEqual([])
  expect(many(13, '')).toEqual([`${rule} on one machine; these are 13`])
  expect(many(3, 'instances = 4')).toEqual([])
  expect(many(2, 'instances = 12')).toEqual([`${rule} on one machine; these are 24`])
})

const much = (part: string) => part.repeat(Math.floor(32_000 / part.length))
test.each<[what: string, text: string]>([
  ['lists in lists', `a = ${'['.repeat(15_000)}${']'.repeat(15_000)}`],
  ['lists without end', `a = ${much('[')}`],
  ['tables in tables', `a = ${much('{a=')}`],
  ['keys of keys', `${much('a.')}a = 1`],
  ['headers of keys', `[${'a.'.repeat(400)}a]`],
  ['many tables', Array.from({ length: 4_000 }, (_, n) => `[t${n}]`).join('\n')],
  ['many keys', Array.from({ length: 4_000 }, (_, n) => `k${n}=1`).join('\n')],
  ['many elements', much('[[a]]\n')],
  ['a large file', 'x'.repeat(40_000)],
  ['control characters', 'a = "\u001b]0;owned\u0007"'],
  ['a key with control characters', '"\\u001b]0;owned\\u0007" = 1'],
])('hostile: %s is refused in good time, in a few plain words', (_, text) => {
  const { configuration, faults } = readAppConfiguration(text)
  expect(configuration).toBeNull()
  expect(faults.length).toBeLessThanOrEqual(20)
  expect(JSON.stringify(faults).length).toBeLessThan(20_000)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them
  expect(faults.map(appConfigurationFaultText).join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  expect(leastProcessorMilliseconds(() => readAppConfiguration(text))).toBeLessThan(300)
})

test('a key __proto__ changes no object', () => {
  for (const text of [
    '[__proto__]\npolluted = 1',
    '__proto__.polluted = 1',
    'a = { __proto__ = { polluted = 1 } }',
  ])
    expect(readAppConfiguration(text).faults[0]?.message).toBe('a key may not be __proto__')
  expect('polluted' in {}).toBe(false)
})

test('any text is read or refused, and never thrown at', () => {
  const parts = [
    '[',
    ']',
    'processes',
    'web',
    '.',
    '=',
    '"',
    '\n',
    'command',
    '{',
    '}',
    "'",
    '#',
    '1',
    ',',
    ' ',
    '[[',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 60 }), fc.string(), (words, more) => {
      const { configuration, faults } = readAppConfiguration(words.join('') + more)
      expect(configuration === null).toBe(faults.length > 0)
    }),
    { numRuns: 500 },
  )
})
