import type { MachineLimits } from '@hearth/contract'
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'
import type { Ownership } from '../machine.ts'
import { diskLimits, processorShares } from './limits.ts'
import { metadataNamespace, parseOwnership } from './metadata.ts'
import { type DomainNetwork, interfaceElement, networkArguments } from './network/domain-network.ts'

const format = { ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true }
const builder = new XMLBuilder({ ...format, format: true })
const parser = new XMLParser({
  ...format,
  parseTagValue: false,
  parseAttributeValue: false,
  removeNSPrefix: true,
})

export interface DomainDescription {
  name: string
  /** The environment's id: libvirt itself then holds each to one machine. */
  uuid: string
  virtualization: 'kvm' | 'qemu'
  memoryMebibytes: number
  virtualCpus: number
  limits: MachineLimits
  /** Whether the host has control groups, by which a machine's processors have a weight. */
  hasControlGroups: boolean
  ownership: Ownership
  diskPath: string
  /** The guest's second disk, raw and read-only. */
  seedPath: string
  consolePath: string
  /** Boot straight into this kernel instead of the disk's own loader. */
  kernel: { path: string; initrdPath: string | null; commandLine: string } | null
  network: DomainNetwork
}

/** The libvirt definition of one machine. Every value is escaped; control characters are refused. */
export function buildDomainXml(domain: DomainDescription): string {
  const xml = {
    domain: {
      '@type': domain.virtualization,
      '@xmlns:qemu': 'http://libvirt.org/schemas/domain/qemu/1.0',
      name: domain.name,
      uuid: domain.uuid,
      metadata: ownershipElement(domain.ownership),
      memory: { '@unit': 'MiB', '#text': domain.memoryMebibytes },
      vcpu: domain.virtualCpus,
      ...(domain.hasControlGroups ? { cputune: processorShares(domain.virtualCpus) } : {}),
      os: {
        type: { '@arch': 'x86_64', '@machine': 'q35', '#text': 'hvm' },
        ...(domain.kernel === null
          ? { boot: { '@dev': 'hd' } }
          : {
              kernel: domain.kernel.path,
              ...(domain.kernel.initrdPath === null ? {} : { initrd: domain.kernel.initrdPath }),
              cmdline: domain.kernel.commandLine,
            }),
      },
      features: { acpi: {}, apic: {} },
      cpu: { '@mode': domain.virtualization === 'kvm' ? 'host-passthrough' : 'maximum' },
      clock: { '@offset': 'utc' },
      on_poweroff: 'destroy',
      on_reboot: 'restart',
      // Its state stays, so that the panic is known for what it is, until somebody starts or ends the machine.
      on_crash: 'preserve',
      devices: devices(domain),
      ...commandLine(networkArguments(domain.network)),
    },
  }
  const text: string = builder.build(xml)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) {
    throw new Error('a machine description holds control characters')
  }
  return text
}

function commandLine(words: readonly string[]) {
  if (words.length === 0) return {}
  return { 'qemu:commandline': { 'qemu:arg': words.map((word) => ({ '@value': word })) } }
}

function devices(domain: DomainDescription) {
  const network = interfaceElement(domain.network)
  const console = { '@path': domain.consolePath, '@append': 'off' }
  return {
    disk: [
      {
        '@type': 'file',
        '@device': 'disk',
        driver: {
          '@name': 'qemu',
          '@type': 'qcow2',
          '@cache': 'writeback',
          // A guest whose host has no room stands still until there is some; other errors are the guest's to see.
          '@error_policy': 'enospace',
          '@discard': 'unmap',
        },
        source: { '@file': domain.diskPath },
        target: { '@dev': 'vda', '@bus': 'virtio' },
        ...diskLimits(domain.limits),
      },
      {
        // Also for an ISO image: Debian's cloud kernels have no driver for a CD-ROM.
        '@type': 'file',
        '@device': 'disk',
        driver: { '@name': 'qemu', '@type': 'raw' },
        source: { '@file': domain.seedPath },
        target: { '@dev': 'vdb', '@bus': 'virtio' },
        readonly: {},
      },
    ],
    ...(network === null ? {} : { interface: network }),
    controller: { '@type': 'usb', '@model': 'none' },
    memballoon: { '@model': 'none' },
    // By which a guest's kernel says that it panicked.
    panic: { '@model': 'isa' },
    serial: { '@type': 'file', source: console, target: { '@port': '0' } },
    console: { '@type': 'file', source: console, target: { '@type': 'serial', '@port': '0' } },
  }
}

/** The metadata element alone, as `virsh metadata --set` takes it (without the prefix libvirt adds). */
export function buildOwnershipXml(ownership: Ownership): string {
  return builder.build({ environment: attributes(ownership) }).trim()
}

function ownershipElement(ownership: Ownership) {
  return { 'hearth:environment': { '@xmlns:hearth': metadataNamespace, ...attributes(ownership) } }
}

function attributes(ownership: Ownership): Record<string, string> {
  return Object.fromEntries(Object.entries(ownership).map(([key, value]) => [`@${key}`, String(value)]))
}

/** Reads the ownership out of a metadata element or a whole definition; null where it is not there or not whole. */
export function parseOwnershipXml(text: string): Ownership | null {
  if (XMLValidator.validate(text) !== true) return null
  const parsed: unknown = parser.parse(text)
  const element =
    field(parsed, 'environment') ?? field(field(field(parsed, 'domain'), 'metadata'), 'environment')
  if (typeof element !== 'object' || element === null) return null
  return parseOwnership(
    Object.fromEntries(Object.entries(element).map(([key, value]) => [key.replace(/^@/, ''), value])),
  )
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
