import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { judgeClock } from './checks/clock.ts'
import { judgeControlPlane } from './checks/control-plane.ts'
import { judgeDisk } from './checks/disk.ts'
import { judgeDomains, ownerOf } from './checks/domains.ts'
import { foldersCheck, judgeFolders, judgeImages } from './checks/folders.ts'
import { judgeGuestNetwork } from './checks/guest-network.ts'
import { judgeLibvirt } from './checks/libvirt.ts'
import { judgePaused } from './checks/paused.ts'
import { judgePort, portOf } from './checks/ports.ts'
import { judgeProcessorWeights } from './checks/processor-weights.ts'
import { judgePrograms } from './checks/programs.ts'
import { judgeStateRights } from './checks/state-rights.ts'
import { judgeKvm, type KvmFacts } from './checks/virtualization.ts'

test('missing programs: what they are for, and one command for all', () => {
  const findings = judgePrograms(['libvirtd', 'virsh', 'mmdebstrap'])
  expect(findings.map(({ level }) => level)).toEqual(['problem', 'problem', 'warning'])
  expect(findings[0]?.remedy).toBe(
    'apt-get install --no-install-recommends libvirt-clients libvirt-daemon-system libvirt-daemon-driver-qemu mmdebstrap',
  )
  expect(judgePrograms([])).toMatchObject([{ level: 'ok' }])
})

const isolated = { network: 'isolated', isRoot: true, hasPacketFilter: true, asked: [], isConfined: false }
test.each([
  [{}, 'ok', /kept from this host/],
  [{ network: 'bridge:br0' }, 'ok', /on the bridge:br0/],
  [{ network: 'user' }, 'warning', /its loopback/],
  [{ isRoot: false, asked: ['HEARTH_GUEST_DENY'] }, 'warning', /HEARTH_GUEST_DENY cannot be held/],
  [{ hasPacketFilter: false }, 'warning', /without nft/],
] as const)('guest networks: %o', (facts, level, message) => {
  const [finding] = judgeGuestNetwork({ ...isolated, ...facts })
  expect(finding).toMatchObject({ level, message: expect.stringMatching(message) })
})

const kvm: KvmFacts = {
  device: { owner: 0, group: 104, mode: 0o20660 },
  kvmGroup: 104,
  processorSaysYes: true,
  proof: null,
}

test.each<[string, Partial<KvmFacts>, string, RegExp]>([
  ['no device', { device: null }, 'warning', /emulated/],
  [
    'root:root 0600, as without udev',
    { device: { owner: 0, group: 0, mode: 0o20600 } },
    'problem',
    /over a minute/,
  ],
  ['root:root 0660', { device: { owner: 0, group: 0, mode: 0o20660 } }, 'problem', /may not use it/],
  ['0666', { device: { owner: 0, group: 0, mode: 0o20666 } }, 'ok', /can be used/],
  ['no vmx and no svm', { processorSaysYes: false }, 'warning', /neither vmx nor svm/],
  [
    'a guest that hung',
    { proof: { virtualization: 'qemu', reason: 'a guest kernel said nothing under it for 6 s' } },
    'warning',
    /hangs under KVM/,
  ],
  [
    'a guest that ran',
    { proof: { virtualization: 'kvm', reason: 'ran' }, processorSaysYes: false },
    'ok',
    /works/,
  ],
  ['nothing tried yet', {}, 'ok', /proves it/],
])('kvm: %s', (_, facts, level, message) => {
  const finding = judgeKvm({ ...kvm, ...facts })
  expect(finding.level).toBe(level)
  expect(finding.message).toMatch(message)
})

test('rights: what guests must pass through is open, what is secret is closed', () => {
  const findings = judgeStateRights(
    [
      { path: '/', mode: 0o755 },
      { path: '/root', mode: 0o700 },
    ],
    [
      { path: '/root/state/context.json', mode: 0o644 },
      { path: '/root/state/key', mode: 0o600 },
    ],
  )
  expect(findings.map(({ remedy }) => remedy)).toEqual([
    expect.stringContaining('chmod o+x /root'),
    'chmod go= /root/state/context.json',
  ])
  expect(judgeStateRights([{ path: '/', mode: 0o711 }], [])).toMatchObject([{ level: 'ok' }])
})

test.each([
  [{ free: true, ours: false }, 'ok'],
  [{ free: false, ours: false }, 'problem'],
  [{ free: false, ours: true }, 'ok'],
  [{ free: true, ours: true }, 'problem'],
] as const)('port %o', (facts, level) => {
  expect(judgePort({ port: 7_070, ...facts }).level).toBe(level)
})

test('only an address on this machine has a port to check', () => {
  expect(portOf('http://127.0.0.1:7171')).toBe(7171)
  expect(portOf('https://localhost')).toBe(443)
  expect(portOf('https://hearth.example:7070')).toBeUndefined()
})

const gibibyte = 1_024 ** 3
test.each([
  [0.5 * gibibyte, null, 'problem'],
  [5 * gibibyte, null, 'warning'],
  [50 * gibibyte, 12, 'problem'],
  [50 * gibibyte, 100_000, 'ok'],
] as const)('%d free bytes and %s free files', (freeBytes, freeFiles, level) => {
  expect(judgeDisk({ path: '/', freeBytes, totalBytes: 100 * gibibyte, freeFiles }).level).toBe(level)
})

test.each([
  [0, 'ok'],
  [1_400, 'ok'],
  [-1_900, 'ok'],
  [12_000, 'warning'],
  [-90_000, 'problem'],
] as const)('a clock %d ms off', (difference, level) => {
  expect(judgeClock(1_000_000, 1_000_000 + difference).level).toBe(level)
})

test('the clock that is wrong is said to be ahead or behind', () => {
  expect(judgeClock(100_000, 0).message).toContain('100 s behind')
  expect(judgeClock(0, 100_000).message).toContain('100 s ahead of')
})

test('a control plane: silent, without NATS, with a bad token, well', () => {
  const url = 'http://127.0.0.1:7070'
  const ready = { database: 'ready', messaging: 'ready' }
  expect(judgeControlPlane({ url, parts: null, refusal: null }, true)).toMatchObject([{ level: 'problem' }])
  expect(judgeControlPlane({ url, parts: null, refusal: null }, false)).toMatchObject([{ level: 'warning' }])
  const cut = { ...ready, messaging: 'not connected to NATS' }
  expect(judgeControlPlane({ url, parts: cut, refusal: null }, true)).toMatchObject([
    { level: 'problem', message: expect.stringContaining('NATS') },
  ])
  expect(judgeControlPlane({ url, parts: ready, refusal: 'no such token' }, true)).toMatchObject([
    { level: 'problem', message: expect.stringContaining('no such token') },
  ])
  expect(judgeControlPlane({ url, parts: ready, refusal: null }, true)).toMatchObject([{ level: 'ok' }])
})

test('machines that this state folder cannot have made are listed and left alone', () => {
  const runner = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
  const metadata = `<environment owner="${runner}" environmentId="x"/>`
  expect(ownerOf(metadata)).toBe(runner)
  expect(ownerOf('<other/>')).toBeNull()
  const own = { name: 'hearth-a', owner: runner }
  expect(judgeDomains([own], [runner]).level).toBe('ok')
  const finding = judgeDomains(
    [own, { name: 'hearth-b', owner: null }, { name: 'hearth-c', owner: 'z' }],
    [runner],
  )
  expect(finding.level).toBe('warning')
  expect(finding.message).toContain('hearth-b (no owner), hearth-c (runner z)')
  expect(finding.message).not.toContain('hearth-a')
})

test('folders and disks that no agent here made are listed and left alone', async () => {
  const runner = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
  const own = { path: '/state/agent/environments/a', owner: runner, holdsDisk: true }
  expect(judgeFolders([own], [runner]).level).toBe('ok')
  expect(judgeImages([])).toEqual([])
  const state = mkdtempSync(join(tmpdir(), 'hearth-doctor-'))
  try {
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(state, path)), { recursive: true })
      writeFileSync(join(state, path), text)
    }
    const made = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a22'
    const strange = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a33'
    write('agent/runner.json', JSON.stringify({ url: 'http://h', runnerId: runner, token: 't' }))
    write(`agent/environments/${made}/machine.json`, JSON.stringify({ ownership: { owner: runner } }))
    write(`agent/environments/.making-${runner}-${made}/machine.json.new`, '')
    write(`agent/environments/${strange}/disk.qcow2`, 'theirs')
    write('agent/environments/backup.qcow2', 'theirs')
    write('images/debian-12/image.json', '{}')
    write('images/notes.txt', '')
    const [folders, images] = await foldersCheck.examine({
      stateFolder: state,
      isRoot: false,
      variables: {},
      context: null,
      runsHere: false,
      readsLayers: false,
      now: () => new Date(0),
    })
    expect(folders?.level).toBe('warning')
    expect(folders?.message).toContain(`${strange} (does not say whose it is, holds a disk)`)
    expect(folders?.message).toContain('backup.qcow2 (does not say whose it is, holds a disk)')
    expect(folders?.message).not.toContain(made)
    expect(images).toMatchObject({ level: 'warning', message: expect.stringContaining('notes.txt') })
  } finally {
    rmSync(state, { recursive: true })
  }
})

test('a stopped libvirt is only a warning, since `hearth dev` starts it', () => {
  expect(judgeLibvirt('qemu:///system', true).level).toBe('ok')
  expect(judgeLibvirt('qemu:///system', false)).toMatchObject({
    level: 'warning',
    remedy: expect.any(String),
  })
})

test('paused machines are listed with the reason and the way to resume them', () => {
  expect(judgePaused([])).toMatchObject({ level: 'ok' })
  const finding = judgePaused([
    { name: 'hearth-1', state: 'paused (I/O error)' },
    { name: 'hearth-2', state: 'paused (user)' },
  ])
  expect(finding).toMatchObject({ level: 'warning' })
  expect(finding.message).toContain('hearth-1 (I/O error), hearth-2 (user)')
  expect(finding.remedy).toContain('virsh resume NAME')
})

test('processors are weighted by class where libvirt may use control groups, and it is said where it may not', () => {
  expect(judgeProcessorWeights('qemu:///system', true)).toMatchObject({ level: 'ok' })
  expect(judgeProcessorWeights('qemu:///system', false)).toMatchObject({ level: 'warning' })
  expect(judgeProcessorWeights('qemu:///session', true).message).toContain('qemu:///session')
})

test('a file of a machine that others can read is listed, with the command that closes it', () => {
  const open = { path: '/state/agent/environments/1/disk.qcow2', mode: 0o100644 }
  expect(judgeStateRights([], [open])).toEqual([
    {
      check: 'state folder rights',
      level: 'problem',
      message: '/state/agent/environments/1/disk.qcow2 is not for others, who can read it (mode 644)',
      remedy: 'chmod go= /state/agent/environments/1/disk.qcow2',
    },
  ])
})
