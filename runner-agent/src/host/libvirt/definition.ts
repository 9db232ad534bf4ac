import { XMLParser } from 'fast-xml-parser'
import type { Ownership } from '../machine.ts'
import { buildOwnershipElement } from './domain-xml.ts'
import { escapedAttribute } from './escaped-attribute.ts'
import { hasController, volumesIn } from './volumes/volume-devices.ts'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => name === 'disk',
})

/** What a definition that libvirt shows says of a machine, as far as layers need it. */
export interface ReadDefinition {
  /** Path of the guest's first disk. */
  diskPath: string
  /** Paths below it that stand in the definition itself, and not only in the header of the disk. */
  namedBelow: string[]
  /** Where volumes are in the machine, as in `sda`. */
  volumeTargets: string[]
  /** Whether it has what volumes are plugged into, which a memory image would need. */
  hasVolumeController: boolean
  virtualCpus: number
  memoryMebibytes: number
  /** As in `qemu, pc-q35-7.2`: the machine that a memory image can only be loaded by. */
  hardware: string
}

/** Null for text that is no definition with a first disk. */
export function readDefinition(xml: string): ReadDefinition | null {
  const domain = at(parser.parse(xml), 'domain')
  const disks = at(domain, 'devices', 'disk')
  const disk = Array.isArray(disks) ? disks.find((each) => at(each, 'target', '@dev') === 'vda') : undefined
  const diskPath = text(at(disk, 'source', '@file'))
  if (diskPath === '') return null
  const kibibytes = Number(text(at(domain, 'memory', '#text')))
  return {
    diskPath,
    namedBelow: below(at(disk, 'backingStore')),
    volumeTargets: volumesIn(xml).map(({ target }) => target),
    hasVolumeController: hasController(xml),
    virtualCpus: Number(text(at(domain, 'vcpu')) || text(at(domain, 'vcpu', '#text'))),
    memoryMebibytes: Math.floor(kibibytes / 1024),
    hardware: `${text(at(domain, '@type'))}, ${text(at(domain, 'os', 'type', '@machine'))}`,
  }
}

function below(store: unknown): string[] {
  const path = text(at(store, 'source', '@file'))
  return path === '' ? [] : [path, ...below(at(store, 'backingStore'))]
}

function at(value: unknown, ...names: string[]): unknown {
  return names.reduce<unknown>((within, name) => {
    if (typeof within !== 'object' || within === null) return undefined
    return Object.entries(within).find(([key]) => key === name)?.[1]
  }, value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A definition of ours with another first disk. */
export function withDisk(definition: string, path: string): string {
  return definition.replace(
    /(<source file=")[^"]*("\/>\s*<target dev="vda")/,
    (_, before: string, after: string) => before + escapedAttribute(path) + after,
  )
}

/** A definition with the VM generation id of another: one that went on from memory runs under one of its own. */
export function withGenerationIdOf(definition: string, other: string): string {
  const [element] = /<genid>[^<]*<\/genid>/.exec(other) ?? []
  return element === undefined ? definition : definition.replace(/<genid>[^<]*<\/genid>/, element)
}

/** A definition of ours for a machine that waits at the socket for a memory image, as somebody new. */
export function waitingForMemory(
  definition: string,
  given: { ownership: Ownership; generationId: string; socket: string },
): string {
  const words = ['-incoming', `unix:${given.socket}`]
  const incoming = words.map((word) => `    <qemu:arg value="${escapedAttribute(word)}"/>\n`).join('')
  return definition
    .replace(/<hearth:environment [^>]*\/>/, () => buildOwnershipElement(given.ownership))
    .replace(/<genid>[^<]*<\/genid>/, `<genid>${given.generationId}</genid>`)
    .replace(/( *<\/qemu:commandline>)/, (end: string) => incoming + end)
}
