// Who may import whom. test/structure/dependencies.test.ts runs these rules and shows, rule by rule, that each can fail.
// Every table lists what is allowed; all else is refused, so that a new folder must be given its place here first.

const testFiles = '\\.(test|fixture)\\.ts$'
const typeOnly = { dependencyTypesNot: ['type-only'] }

/** What the sources of a workspace may import of the other workspaces. */
const workspaces = {
  'packages/foundation': [],
  'packages/contract': ['packages/foundation'],
  'packages/messaging': ['packages/foundation', 'packages/contract'],
  'packages/client': ['packages/foundation', 'packages/contract'],
  'packages/embedded': ['packages/foundation'],
  'packages/testing': [
    'packages/foundation',
    'packages/contract',
    'packages/messaging',
    'packages/client',
    'packages/embedded',
  ],
  'packages/cli': [
    'packages/foundation',
    'packages/contract',
    'packages/messaging',
    'packages/client',
    'packages/embedded',
  ],
  'control-plane': ['packages/foundation', 'packages/contract', 'packages/messaging'],
  'runner-agent': ['packages/foundation', 'packages/contract', 'packages/messaging', 'packages/client'],
}
/** The one exception: the NATS server's operator keys are made where its tokens are understood. */
const alsoAllowed = { 'packages/embedded': ['src/nats/', 'packages/messaging'] }

/** Inside the control plane: what a folder or file may import of its siblings. */
const controlPlane = {
  access: [],
  placement: [],
  config: ['network', 'outgoing'],
  network: [],
  timings: [],
  database: ['database'],
  outgoing: ['network', 'outgoing'],
  tls: ['tls', 'database', 'network'],
  reconciling: ['reconciling', 'database', 'timings'],
  work: ['database'],
  api: ['api', 'access', 'database', 'network', 'outgoing', 'timings'],
  resource: ['resource', 'work', 'reconciling', 'database', 'api'],
  kinds: [
    'kinds',
    'resource',
    'access',
    'placement',
    'reconciling',
    'database',
    'api',
    'outgoing',
    'timings',
    'work',
  ],
  delivery: ['delivery', 'kinds', 'reconciling', 'database', 'api', 'timings', 'work'],
  // Another system's words over commands and reads of kinds: nothing below them.
  dialects: ['dialects', 'kinds', 'api'],
}

/** Inside the runner agent: work knows hosts and guests by their interfaces only. */
const runnerAgent = {
  config: [],
  version: [],
  timings: [],
  'module-globals': [],
  'secure-shell': [],
  metrics: [],
  state: ['host/command', 'secure-shell'],
  'host/(?!command/|libvirt/|synthetic/|volumes/)': ['host/(?!command/|libvirt/|synthetic/|volumes/)'],
  'host/command': ['host/(?!libvirt/|synthetic/|volumes/)', 'secure-shell'],
  'host/volumes': ['host/(?!libvirt/|synthetic/)'],
  'host/libvirt': ['host/(?!synthetic/)', 'guest/(?!ssh/)', 'secure-shell'],
  'host/synthetic': ['host/(?!libvirt/)', 'guest/(?!ssh/)', 'secure-shell'],
  'guest/(?!ssh/)': ['guest/(?!ssh/)', 'host/(?!command/|libvirt/|synthetic/|volumes/)', 'secure-shell'],
  'guest/ssh': ['guest', 'host/(?!command/|libvirt/|synthetic/|volumes/)', 'secure-shell'],
  // The proxy, and what it asks: it knows neither hosts nor work.
  ingress: [],
  registration: ['state'],
  reporting: [],
  lease: ['host/(?!command/|libvirt/|synthetic/|volumes/)', 'host/command/command-runner'],
  // A command that could not be run is a cause of failure that work tells apart.
  work: [
    'guest/(?!ssh/)',
    'host/(?!command/|libvirt/|synthetic/|volumes/)',
    'host/command/command-runner',
    'ingress',
    'lease',
    'reporting',
    'secure-shell',
  ],
  synchronising: ['work', 'host/(?!command/|libvirt/|synthetic/|volumes/)', 'lease', 'reporting', 'timings'],
  agent: [
    'guest/(?!ssh/)',
    'host/(?!command/|libvirt/|synthetic/|volumes/)',
    'lease',
    'metrics',
    'registration',
    'reporting',
    'synchronising',
    'timings',
    'work',
  ],
}

/** A folder (`work` is `work/…`), a file (`config` is `config.ts`), or a pattern of paths as it stands. */
const places = (root, names) =>
  names.map((name) => `^${root}/src/${name.includes('(') ? name : `${name}[/.]`}`)

const workspaceRules = Object.entries(workspaces).flatMap(([workspace, allowed]) => {
  const anyOther = '^(packages/[^/]+|control-plane|runner-agent|test)/'
  const own = `^${workspace}/`
  const seen = allowed.map((name) => `^${name}/`)
  const exception = alsoAllowed[workspace]
  const rule = (name, from, extra) => ({
    name,
    severity: 'error',
    from,
    to: { path: anyOther, pathNot: [own, ...seen, ...extra] },
  })
  const sources = {
    path: `${own}src/`,
    pathNot: [testFiles, ...(exception ? [`${own}${exception[0]}`] : [])],
  }
  return [
    rule(`workspace: ${workspace}`, sources, []),
    ...(exception
      ? [
          rule(
            `workspace: ${workspace}/${exception[0]}`,
            { path: `${own}${exception[0]}`, pathNot: testFiles },
            [`^${exception[1]}/`],
          ),
        ]
      : []),
    rule(`workspace: tests of ${workspace}`, { path: `${own}src/.*${testFiles}` }, [
      '^packages/testing/',
      ...(exception ? [`^${exception[1]}/`] : []),
    ]),
  ]
})

const insideRules = (root, table) =>
  Object.entries(table).map(([from, allowed]) => ({
    name: `${root}: ${from}`,
    severity: 'error',
    from: { path: places(root, [from])[0], pathNot: [testFiles, '^control-plane/src/database/schema\\.ts$'] },
    to: { path: `^${root}/src/`, pathNot: places(root, [from, ...allowed]) },
  }))

/** A source file of a program that is in none of the tables and is not one that sees everything. */
const unplacedRule = (root, table, seeingAll) => ({
  name: `${root}: has its place`,
  severity: 'error',
  from: {
    path: `^${root}/src/`,
    pathNot: [testFiles, ...places(root, [...Object.keys(table), ...seeingAll])],
  },
  to: { path: '.' },
})

module.exports = {
  forbidden: [
    ...workspaceRules,
    {
      name: 'workspace: entered by its index',
      comment: 'A workspace is used by its name, so that its index.ts says all that it offers.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|control-plane|runner-agent)/' },
      to: {
        path: '^(packages/[^/]+|control-plane|runner-agent)/',
        pathNot: ['^$1/', '^(packages/[^/]+|control-plane|runner-agent)/src/index\\.ts$'],
      },
    },
    ...insideRules('control-plane', controlPlane),
    unplacedRule('control-plane', controlPlane, ['main', 'compose', 'serve', 'index']),
    ...insideRules('runner-agent', runnerAgent),
    unplacedRule('runner-agent', runnerAgent, ['main', 'compose', 'index']),
    {
      name: 'database: only the schema names kinds, and only their tables as types',
      severity: 'error',
      from: { path: '^control-plane/src/database/schema\\.ts$' },
      to: {
        path: '^control-plane/src/(?!database/)',
        pathNot: '^control-plane/src/kinds/[^/]+/table\\.ts$',
      },
    },
    {
      name: 'database: the schema runs nothing of a kind',
      severity: 'error',
      from: { path: '^control-plane/src/database/schema\\.ts$' },
      to: { path: '^control-plane/src/kinds/', ...typeOnly },
    },
    {
      name: 'kinds: another kind by its index',
      severity: 'error',
      from: { path: '^control-plane/src/kinds/([^/]+)/' },
      to: {
        path: '^control-plane/src/kinds/[^/]+/',
        pathNot: ['^control-plane/src/kinds/$1/', '^control-plane/src/kinds/[^/]+/(index|table)\\.ts$'],
      },
    },
    {
      name: 'kinds: the table of another kind as a type',
      severity: 'error',
      from: { path: '^control-plane/src/kinds/([^/]+)/' },
      to: {
        path: '^control-plane/src/kinds/[^/]+/table\\.ts$',
        pathNot: '^control-plane/src/kinds/$1/',
        ...typeOnly,
      },
    },
    {
      name: 'kinds: from outside by their index',
      severity: 'error',
      from: {
        path: '^control-plane/src/',
        pathNot: ['^control-plane/src/kinds/', '^control-plane/src/database/schema\\.ts$'],
      },
      to: {
        path: '^control-plane/src/kinds/',
        pathNot: ['/index\\.ts$', '^control-plane/src/kinds/kinds\\.ts$'],
      },
    },
    {
      name: 'decisions: contract and foundation only',
      severity: 'error',
      from: {
        path: ['^control-plane/src/kinds/.+decide\\.ts$', '^control-plane/src/placement/'],
        pathNot: testFiles,
      },
      to: {
        path: '.',
        pathNot: [
          '^packages/(contract|foundation)/',
          '^control-plane/src/kinds/[^/]+/table\\.ts$',
          '^control-plane/src/placement/',
          // A part of a kind's decisions in a folder of its own.
          '^control-plane/src/kinds/.+decide\\.ts$',
        ],
      },
    },
    {
      name: 'decisions: their own table as a type',
      severity: 'error',
      from: { path: '^control-plane/src/kinds/([^/]+)/.*decide\\.ts$' },
      to: { path: '/table\\.ts$', ...typeOnly },
    },
    {
      name: 'decisions: no table of another kind',
      severity: 'error',
      from: { path: '^control-plane/src/kinds/([^/]+)/.*decide\\.ts$' },
      to: { path: '/table\\.ts$', pathNot: '^control-plane/src/kinds/$1/' },
    },
    {
      name: 'sources use no test tool',
      severity: 'error',
      from: { path: '^(packages/(?!testing/)[^/]+|control-plane|runner-agent)/src/', pathNot: testFiles },
      to: { path: 'node_modules/(vitest|fast-check|ajv|ajv-formats|autocannon)/' },
    },
    {
      name: 'sources import no test',
      severity: 'error',
      from: { path: '/src/', pathNot: testFiles },
      to: { path: testFiles },
    },
    { name: 'resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // 'specify' keeps type-only imports and tells them apart.
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.types|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.mts', '.d.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
}
