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
  /** The environment's id: libvirt then allows only one domain per environment. */
  uuid: string
  generationId: string
  virtualization: 'kvm' | 'qemu'
  memoryMebibytes: number
  virtualCpus: number
  limits: MachineLimits
  /** Whether the host has control groups, which weight the processors of machines. */
  hasControlGroups: boolean
  ownership: Ownership
  diskPath: string
  /** The guest's second disk, raw and read-only. */
  seedPath: string
  consolePath: string
  /** Kernel to boot directly, without the boot loader on the disk. */
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
      // Tells the guest's kernel when it has become another machine.
      genid: domain.generationId,
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
      // The crashed domain is kept, so that the panic can be recognised until somebody starts or ends the machine.
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
          // A guest is paused while its host's disk is full; other errors are passed on to the guest.
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
    // Device through which a guest's kernel reports a panic.
    panic: { '@model': 'isa' },
    serial: { '@type': 'file', source: console, target: { '@port': '0' } },
    console: { '@type': 'file', source: console, target: { '@type': 'serial', '@port': '0' } },
  }
}

/** The metadata element alone, as `virsh metadata --set` takes it (without the prefix libvirt adds). */
export function buildOwnershipXml(ownership: Ownership): string {
  return builder.build({ environment: attributes(ownership) }).trim()
}

/** The metadata element with its namespace, as it stands in a whole definition. */
export function buildOwnershipElement(ownership: Ownership): string {
  return builder.build(ownershipElement(ownership)).trim()
}

function ownershipElement(ownership: Ownership) {
  return { 'hearth:environment': { '@xmlns:hearth': metadataNamespace, ...attributes(ownership) } }
}

function attributes(ownership: Ownership): Record<string, string> {
  return Object.fromEntries(Object.entries(ownership).map(([key, value]) => [`@${key}`, String(value)]))
}

/** Parses the ownership from a metadata element or a whole definition; null where it is missing or incomplete. */
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
