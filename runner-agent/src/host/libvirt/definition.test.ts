import { expect, test } from 'vitest'
import { readDefinition, waitingForMemory, withDisk, withGenerationIdOf } from './definition.ts'
import { buildDomainXml, parseOwnershipXml } from './domain-xml.ts'

const ownership = {
  owner: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a10',
  environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  epoch: 3,
  generation: 12,
  createdAt: '2026-01-01T00:00:00.000Z',
}
const definition = buildDomainXml({
  name: 'hearth-x',
  uuid: ownership.environmentId,
  generationId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12',
  virtualization: 'qemu',
  memoryMebibytes: 512,
  virtualCpus: 2,
  limits: { diskOperationsPerSecond: 100 },
  hasControlGroups: true,
  ownership,
  diskPath: '/state/disk.qcow2',
  seedPath: '/state/seed.tar',
  consolePath: '/state/console.log',
  kernel: { path: '/images/vmlinuz', initrdPath: null, commandLine: 'root=/dev/vda quiet' },
  network: { kind: 'isolated', socket: '/run/hearth/guests/x/passt.sock' },
})

test('another first disk stands in the place of the first, and nothing else changes', () => {
  const path = '/state/a & "b"/$1.qcow2'
  const changed = withDisk(definition, path)
  expect(readDefinition(changed)?.diskPath).toBe(path)
  expect(withDisk(changed, '/state/disk.qcow2')).toBe(definition)
})

test('a definition as libvirt shows it says what the disk stands on, and what it is run by', () => {
  const shown = `<domain type='qemu' id='4'>
    <memory unit='KiB'>524288</memory><vcpu placement='static'>2</vcpu>
    <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
    <devices><disk type='file' device='disk'>
      <source file='/state/next.qcow2' index='4'/>
      <backingStore type='file' index='2'><format type='qcow2'/><source file='/state/disk.qcow2'/>
        <backingStore type='file'><source file='/images/disk.qcow2'/><backingStore/></backingStore>
      </backingStore>
      <target dev='vda' bus='virtio'/>
    </disk></devices></domain>`
  expect(readDefinition(shown)).toEqual({
    diskPath: '/state/next.qcow2',
    namedBelow: ['/state/disk.qcow2', '/images/disk.qcow2'],
    volumeTargets: [],
    hasVolumeController: false,
    virtualCpus: 2,
    memoryMebibytes: 512,
    hardware: 'qemu, pc-q35-7.2',
  })
  expect(readDefinition('<domain/>')).toBeNull()
})

test('a machine goes on under the generation id it had', () => {
  const id = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a14'
  const saved = definition.replace(/<genid>.*<\/genid>/, `<genid>${id}</genid>`)
  expect(withGenerationIdOf(definition, saved)).toBe(saved)
  expect(withGenerationIdOf(definition, '<domain/>')).toBe(definition)
})

test('a machine that waits for a memory image is somebody new, with the newest ownership', () => {
  const generationId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a13'
  const newer = { ...ownership, generation: 13 }
  const waiting = waitingForMemory(definition, { ownership: newer, generationId, socket: '/run/m/s' })
  expect(parseOwnershipXml(waiting)).toEqual(newer)
  expect(waiting).toContain(`<genid>${generationId}</genid>`)
  expect(waiting).toContain('value="-incoming"')
  expect(waiting).toContain('value="unix:/run/m/s"')
})
