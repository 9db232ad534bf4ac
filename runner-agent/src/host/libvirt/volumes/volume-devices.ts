import { escapedAttribute } from '../escaped-attribute.ts'

/*
 * Volumes are SCSI disks: any number of them goes into a machine that runs, behind one controller, and each comes out without
 * the guest having to agree. Everything on that bus is a volume, since nothing else of a machine is.
 */

const controller = '<controller type="scsi" index="0" model="virtio-scsi"/>'
const scsiDisk = /\s*<disk\b(?:(?!<\/disk>)[\s\S])*?\bbus=["']scsi["'](?:(?!<\/disk>)[\s\S])*<\/disk>/g
const scsiController = /\s*<controller type=["']scsi["'][^>]*?(?:\/>|>[\s\S]*?<\/controller>)/g

export interface PluggedDisk {
  path: string
  /** As in `sda`. */
  target: string
}

export const controllerElement = controller

/** libvirt's element for a volume at a place on the bus; its serial number is the volume's id. */
export function volumeElement(volumeId: string, path: string, place: number): string {
  return [
    '<disk type="file" device="disk">',
    '<driver name="qemu" type="raw" cache="writeback" error_policy="enospace" discard="unmap"/>',
    `<source file="${escapedAttribute(path)}"/>`,
    `<target dev="${targetAt(place)}" bus="scsi"/>`,
    `<serial>${volumeId}</serial>`,
    `<address type="drive" controller="0" bus="0" target="0" unit="${place}"/>`,
    '</disk>',
  ].join('')
}

/** The volumes in a definition, as Hearth or libvirt writes it. */
export function volumesIn(definition: string): PluggedDisk[] {
  return [...definition.matchAll(scsiDisk)].flatMap(([element]) => {
    const path = /<source file=["']([^"']*)["']/.exec(element)?.[1]
    const target = /<target dev=["'](sd[a-z]+)["']/.exec(element)?.[1]
    return path === undefined || target === undefined ? [] : [{ path, target }]
  })
}

/** Whether the machine has what volumes are plugged into, used or not. */
export const hasController = (definition: string): boolean => definition.match(scsiController) !== null

/** A place on the bus that no volume has. */
export function freePlace(disks: readonly PluggedDisk[]): number {
  const taken = new Set(disks.map(({ target }) => target))
  for (let place = 0; ; place += 1) if (!taken.has(targetAt(place))) return place
}

const targetAt = (place: number) => `sd${String.fromCharCode('a'.charCodeAt(0) + place)}`

/** A definition of ours with these volumes and no others. */
export function withVolumes(
  definition: string,
  volumes: readonly { volumeId: string; path: string }[],
): string {
  const without = definition.replace(scsiDisk, '').replace(scsiController, '')
  if (volumes.length === 0) return without
  const elements = volumes.map(({ volumeId, path }, place) => volumeElement(volumeId, path, place))
  const added = [...elements, controller].map((element) => `\n    ${element}`).join('')
  return without.replace(/\s*<\/devices>/, (end) => `${added}${end}`)
}

const devices = /<devices>[\s\S]*<\/devices>/

/** A definition with the devices of another, where either has volumes: a memory is loaded by the devices that it knows. */
export function withDevicesOf(definition: string, other: string): string {
  const [element] = devices.exec(other) ?? []
  if (element === undefined || !(hasController(definition) || hasController(other))) return definition
  return definition.replace(devices, () => element)
}
