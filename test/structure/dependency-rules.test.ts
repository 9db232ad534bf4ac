import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cruiseFolder, workspaces } from './cruise.ts'
import { root } from './source-files.ts'

/** An import that must be refused, and by which rules. */
const refused: readonly (readonly [from: string, to: string, rule: string, how?: 'type'])[] = [
  ['packages/foundation/src/a.ts', 'packages/contract/src/index.ts', 'workspace: packages/foundation'],
  ['packages/contract/src/a.ts', 'packages/messaging/src/index.ts', 'workspace: packages/contract'],
  ['packages/messaging/src/a.ts', 'packages/client/src/index.ts', 'workspace: packages/messaging'],
  ['packages/client/src/a.ts', 'packages/messaging/src/index.ts', 'workspace: packages/client'],
  ['packages/embedded/src/postgres/a.ts', 'packages/messaging/src/index.ts', 'workspace: packages/embedded'],
  [
    'packages/embedded/src/nats/a.ts',
    'packages/contract/src/index.ts',
    'workspace: packages/embedded/src/nats/',
  ],
  ['packages/testing/src/a.ts', 'control-plane/src/index.ts', 'workspace: packages/testing'],
  ['packages/cli/src/a.ts', 'control-plane/src/index.ts', 'workspace: packages/cli'],
  ['packages/cli/src/b.ts', 'packages/testing/src/index.ts', 'workspace: packages/cli'],
  ['control-plane/src/api/a.ts', 'runner-agent/src/index.ts', 'workspace: control-plane'],
  ['control-plane/src/api/b.ts', 'packages/testing/src/index.ts', 'workspace: control-plane'],
  ['runner-agent/src/work/a.ts', 'control-plane/src/index.ts', 'workspace: runner-agent', 'type'],
  ['packages/contract/src/deep.ts', 'packages/foundation/src/clock.ts', 'workspace: entered by its index'],
  ...[
    'packages/foundation',
    'packages/contract',
    'packages/messaging',
    'packages/client',
    'packages/embedded',
    'packages/testing',
    'packages/cli',
    'control-plane',
    'runner-agent',
  ].map((name) => [`${name}/src/a.test.ts`, 'test/a.ts', `workspace: tests of ${name}`] as const),

  ['control-plane/src/access/a.ts', 'control-plane/src/database/connection.ts', 'control-plane: access'],
  [
    'control-plane/src/placement/a.ts',
    'control-plane/src/database/connection.ts',
    'control-plane: placement',
  ],
  ['control-plane/src/outgoing/a.ts', 'control-plane/src/database/connection.ts', 'control-plane: outgoing'],
  ['control-plane/src/network.ts', 'control-plane/src/database/connection.ts', 'control-plane: network'],
  ['control-plane/src/config.ts', 'control-plane/src/compose.ts', 'control-plane: config'],
  ['control-plane/src/timings.ts', 'control-plane/src/compose.ts', 'control-plane: timings'],
  ['control-plane/src/database/a.ts', 'control-plane/src/kinds/claim/index.ts', 'control-plane: database'],
  [
    'control-plane/src/reconciling/a.ts',
    'control-plane/src/kinds/claim/index.ts',
    'control-plane: reconciling',
  ],
  ['control-plane/src/tls/a.ts', 'control-plane/src/compose.ts', 'control-plane: tls'],
  ['control-plane/src/work/a.ts', 'control-plane/src/delivery/a.ts', 'control-plane: work'],
  ['control-plane/src/api/c.ts', 'control-plane/src/kinds/claim/index.ts', 'control-plane: api'],
  ['control-plane/src/kinds/claim/a.ts', 'control-plane/src/dialects/ona/index.ts', 'control-plane: kinds'],
  ['control-plane/src/kinds/claim/b.ts', 'control-plane/src/compose.ts', 'control-plane: kinds', 'type'],
  ['control-plane/src/delivery/a.ts', 'control-plane/src/compose.ts', 'control-plane: delivery'],
  ['control-plane/src/dialects/ona/a.ts', 'control-plane/src/delivery/intake.ts', 'control-plane: dialects'],
  ['control-plane/src/dialects/ona/b.ts', 'control-plane/src/database/outbox.ts', 'control-plane: dialects'],
  ['control-plane/src/dialects/ona/c.ts', 'control-plane/src/reconciling/wake.ts', 'control-plane: dialects'],
  ['control-plane/src/resource/a.ts', 'control-plane/src/kinds/claim/index.ts', 'control-plane: resource'],
  ['control-plane/src/elsewhere/a.ts', 'control-plane/src/api/lookup.ts', 'control-plane: has its place'],

  [
    'control-plane/src/database/schema.ts',
    'control-plane/src/kinds/claim/queries.ts',
    'database: only the schema names kinds, and only their tables as types',
    'type',
  ],
  [
    'control-plane/src/database/schema.ts',
    'control-plane/src/kinds/claim/table.ts',
    'database: the schema runs nothing of a kind',
  ],
  [
    'control-plane/src/kinds/warm-pool/a.ts',
    'control-plane/src/kinds/claim/queries.ts',
    'kinds: another kind by its index',
    'type',
  ],
  [
    'control-plane/src/kinds/warm-pool/b.ts',
    'control-plane/src/kinds/claim/table.ts',
    'kinds: the table of another kind as a type',
  ],
  [
    'control-plane/src/delivery/b.ts',
    'control-plane/src/kinds/claim/queries.ts',
    'kinds: from outside by their index',
  ],
  [
    'control-plane/src/kinds/claim/decide.ts',
    'control-plane/src/database/connection.ts',
    'decisions: contract and foundation only',
    'type',
  ],
  [
    'control-plane/src/kinds/claim/late.decide.ts',
    'control-plane/src/kinds/claim/queries.ts',
    'decisions: contract and foundation only',
  ],
  [
    'control-plane/src/kinds/claim/decide.ts',
    'control-plane/src/kinds/claim/table.ts',
    'decisions: their own table as a type',
  ],
  [
    'control-plane/src/kinds/warm-pool/decide.ts',
    'control-plane/src/kinds/claim/table.ts',
    'decisions: no table of another kind',
    'type',
  ],

  ['runner-agent/src/config.ts', 'runner-agent/src/compose.ts', 'runner-agent: config'],
  ['runner-agent/src/version.ts', 'runner-agent/src/config.ts', 'runner-agent: version'],
  ['runner-agent/src/module-globals.ts', 'runner-agent/src/config.ts', 'runner-agent: module-globals'],
  ['runner-agent/src/secure-shell/a.ts', 'runner-agent/src/host/host.ts', 'runner-agent: secure-shell'],
  ['runner-agent/src/metrics/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: metrics'],
  ['runner-agent/src/state/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: state'],
  [
    'runner-agent/src/host/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: host/(?!command/|libvirt/|synthetic/|volumes/)',
  ],
  [
    'runner-agent/src/host/command/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: host/command',
  ],
  [
    'runner-agent/src/host/volumes/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: host/volumes',
  ],
  [
    'runner-agent/src/host/libvirt/a.ts',
    'runner-agent/src/host/synthetic/settings.ts',
    'runner-agent: host/libvirt',
  ],
  [
    'runner-agent/src/host/synthetic/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: host/synthetic',
  ],
  ['runner-agent/src/guest/a.ts', 'runner-agent/src/guest/ssh/ssh-guest.ts', 'runner-agent: guest/(?!ssh/)'],
  ['runner-agent/src/guest/ssh/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: guest/ssh'],
  ['runner-agent/src/ingress/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: ingress'],
  ['runner-agent/src/registration/a.ts', 'runner-agent/src/host/host.ts', 'runner-agent: registration'],
  ['runner-agent/src/reporting/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: reporting'],
  ['runner-agent/src/timings.ts', 'runner-agent/src/compose.ts', 'runner-agent: timings'],
  ['runner-agent/src/lease/a.ts', 'runner-agent/src/work/a.ts', 'runner-agent: lease'],
  [
    'runner-agent/src/work/environment/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: work',
    'type',
  ],
  [
    'runner-agent/src/work/environment/b.ts',
    'runner-agent/src/host/synthetic/settings.ts',
    'runner-agent: work',
  ],
  ['runner-agent/src/work/environment/c.ts', 'runner-agent/src/guest/ssh/ssh-guest.ts', 'runner-agent: work'],
  [
    'runner-agent/src/synchronising/a.ts',
    'runner-agent/src/host/libvirt/virsh.ts',
    'runner-agent: synchronising',
  ],
  ['runner-agent/src/agent.ts', 'runner-agent/src/host/libvirt/virsh.ts', 'runner-agent: agent'],
  ['runner-agent/src/elsewhere.ts', 'runner-agent/src/host/host.ts', 'runner-agent: has its place'],

  ['control-plane/src/api/d.ts', 'node_modules/vitest/index.ts', 'sources use no test tool'],
  ['packages/client/src/b.ts', 'packages/client/src/a.test.ts', 'sources import no test'],
  ['packages/client/src/c.ts', 'packages/client/src/absent.ts', 'resolves'],
  ['packages/client/src/left.ts', 'packages/client/src/right.ts', 'no cycles'],
  ['packages/client/src/left-type.ts', 'packages/client/src/right-type.ts', 'no cycles', 'type'],
]

/** Imports that the same rules must let pass. */
const allowed: readonly (readonly [from: string, to: string, how?: 'type'])[] = [
  ['packages/client/src/right.ts', 'packages/client/src/left.ts'],
  ['packages/client/src/right-type.ts', 'packages/client/src/left-type.ts', 'type'],
  ['packages/contract/src/b.ts', 'packages/foundation/src/index.ts'],
  ['packages/messaging/src/b.test.ts', 'packages/testing/src/index.ts'],
  ['packages/embedded/src/nats/b.ts', 'packages/messaging/src/index.ts'],
  ['control-plane/src/database/allowed/schema.ts', 'control-plane/src/database/connection.ts'],
  ['control-plane/src/database/schema.ts', 'control-plane/src/kinds/event/table.ts', 'type'],
  ['control-plane/src/kinds/claim/c.ts', 'control-plane/src/kinds/warm-pool/index.ts'],
  ['control-plane/src/kinds/claim/d.ts', 'control-plane/src/kinds/warm-pool/table.ts', 'type'],
  ['control-plane/src/kinds/event/decide.ts', 'control-plane/src/kinds/event/table.ts', 'type'],
  ['control-plane/src/kinds/event/decide.ts', 'packages/contract/src/index.ts'],
  ['control-plane/src/compose.ts', 'control-plane/src/delivery/intake.ts'],
  ['runner-agent/src/work/environment/d.ts', 'runner-agent/src/host/host.ts'],
  ['runner-agent/src/compose.ts', 'runner-agent/src/host/libvirt/virsh.ts'],
  ['test/b.ts', 'control-plane/src/index.ts'],
]

describe('each rule', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-rules-'))
  let found: { from: string; to: string; rule: string }[]

  beforeAll(async () => {
    plant(folder)
    const result = await cruiseFolder(folder, workspaces)
    found = result.summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name }))
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true }))

  const cases = refused.map(([from, to, rule]) => ({ from, to, rule }))
  it.each(cases)('$from may not import $to: $rule', ({ from, to, rule }) => {
    const target = rule === 'resolves' ? to.replace(/^.*\//, './') : to
    expect(found).toContainEqual({ from, to: target, rule })
  })

  it('lets allowed imports pass', () => {
    const broken = found.filter(({ from, to, rule }) =>
      allowed.some((one) => one[0] === from && one[1] === to && rule !== 'no cycles'),
    )
    expect(broken).toEqual([])
  })

  it('has been shown to fail here', async () => {
    const { ruleSet } = await extractOptions(join(root, '.dependency-cruiser.cjs'))
    const names = (ruleSet?.forbidden ?? []).map(({ name }) => name ?? 'unnamed')
    expect(names.length).toBeGreaterThan(40)
    expect(names.filter((name) => !refused.some(([, , rule]) => rule === name))).toEqual([])
  })
})

/** Writes a small project with exactly these imports. */
function plant(folder: string): void {
  const contents = new Map<string, string[]>()
  const file = (path: string) => {
    const lines = contents.get(path) ?? ['export const value = 1']
    contents.set(path, lines)
    return lines
  }
  for (const [from, to, how] of [
    ...refused.map(([from, to, , how]) => [from, to, how] as const),
    ...allowed,
  ]) {
    if (!to.endsWith('absent.ts')) file(to)
    const path = relative(dirname(from), to)
    file(from).push(
      `import ${how ?? ''} { value as v${file(from).length} } from '${path.startsWith('.') ? path : `./${path}`}'`,
    )
    file(from).push(
      how === 'type'
        ? `export type T${file(from).length} = typeof v${file(from).length - 1}`
        : `console.log(v${file(from).length - 1})`,
    )
  }
  for (const [path, lines] of contents) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), `${lines.join('\n')}\n`)
  }
}
