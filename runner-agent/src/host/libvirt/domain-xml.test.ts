import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildDomainXml, buildOwnershipXml, type DomainDescription, parseOwnershipXml } from './domain-xml.ts'

const ownership = {
  owner: '00123',
  environmentId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11',
  epoch: 3,
  generation: 12,
  createdAt: '2026-01-01T00:00:00.000Z',
}
const domain: DomainDescription = {
  name: 'hearth-x',
  uuid: ownership.environmentId,
  generationId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a12',
  virtualization: 'qemu',
  memoryMebibytes: 512,
  virtualCpus: 2,
  limits: {},
  hasControlGroups: true,
  ownership,
  diskPath: '/state/disk.qcow2',
  seedPath: '/state/seed.tar',
  consolePath: '/state/console.log',
  kernel: { path: '/images/vmlinuz', initrdPath: null, commandLine: 'root=/dev/vda quiet' },
  network: { kind: 'isolated', socket: '/run/hearth/guests/x/passt.sock' },
}

test('the ownership in a definition is read back as it was written', () => {
  expect(parseOwnershipXml(buildDomainXml(domain))).toEqual(ownership)
  expect(parseOwnershipXml(buildOwnershipXml(ownership))).toEqual(ownership)
})

test('markup in a value stays a value', () => {
  const nasty = `</cmdline><x a="1">&'"`
  const xml = buildDomainXml({
    ...domain,
    diskPath: nasty,
    kernel: { ...domain.kernel, path: '/k', initrdPath: null, commandLine: nasty },
  })
  expect(xml).not.toContain('<x')
  expect(parseOwnershipXml(xml)).toEqual(ownership)
})

test('control characters are refused', () => {
  expect(() => buildDomainXml({ ...domain, name: 'a\u0001b' })).toThrow('control characters')
})

test('metadata of other programs proves nothing', () => {
  expect(parseOwnershipXml('')).toBeNull()
  expect(parseOwnershipXml('<environment owner="x"/>')).toBeNull()
  expect(parseOwnershipXml('<domain><name>x</name></domain>')).toBeNull()
  fc.assert(fc.property(fc.string(), (text) => parseOwnershipXml(text) === null))
})

test('without a kernel the disk’s own loader boots', () => {
  expect(buildDomainXml(domain)).not.toContain('<boot')
  expect(buildDomainXml({ ...domain, kernel: null })).toContain('<boot dev="hd"/>')
})

test('limits and processor weight of a class are in the definition, and nothing without them', () => {
  const limited = buildDomainXml({
    ...domain,
    limits: { diskMegabytesPerSecond: 40, diskOperationsPerSecond: 500 },
  })
  expect(limited).toContain('<total_bytes_sec>40000000</total_bytes_sec>')
  expect(limited).toContain('<total_iops_sec>500</total_iops_sec>')
  expect(limited).toContain('<shares>2048</shares>')
  const free = buildDomainXml({ ...domain, hasControlGroups: false })
  expect(free).not.toContain('iotune')
  expect(free).not.toContain('cputune')
})
