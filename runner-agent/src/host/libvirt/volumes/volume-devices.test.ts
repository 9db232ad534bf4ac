import { expect, test } from 'vitest'
import {
  controllerElement,
  freePlace,
  hasController,
  volumeElement,
  volumesIn,
  withDevicesOf,
  withVolumes,
} from './volume-devices.ts'

const root =
  '<disk type="file" device="disk"><source file="/m/disk.qcow2"/><target dev="vda" bus="virtio"/></disk>'
const definition = `<domain>\n  <devices>\n    ${root}\n    <controller type="usb" model="none"/>\n  </devices>\n</domain>`
const data = { volumeId: '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11', path: '/v/a&b/disk-0' }

test('a machine starts with its volumes and no others, and the rest of it stays as it was', () => {
  const given = withVolumes(definition, [data, { ...data, path: '/v/2/disk-0' }])
  expect(volumesIn(given).map(({ target }) => target)).toEqual(['sda', 'sdb'])
  expect(given).toContain('<source file="/v/a&amp;b/disk-0"/>')
  expect(given).toContain(`<serial>${data.volumeId}</serial>`)
  expect([hasController(given), hasController(definition)]).toEqual([true, false])
  expect(withVolumes(given, [data])).toBe(withVolumes(definition, [data]))
  expect(volumesIn(withVolumes(given, []))).toEqual([])
  expect(withVolumes(given, [])).toContain(root)
  expect(withVolumes(definition, [])).toBe(definition)
})

test('volumes are found as libvirt writes them, and the next has a place of its own', () => {
  const live = `<devices>${root}<disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/v/1/disk-0' index='3'/>
      <backingStore/>
      <target dev='sda' bus='scsi'/>
      <serial>x</serial>
    </disk><controller type='scsi' index='0' model='virtio-scsi'>
      <address type='pci' bus='0x03'/>
    </controller></devices>`
  expect(volumesIn(live)).toEqual([{ path: '/v/1/disk-0', target: 'sda' }])
  expect(freePlace(volumesIn(live))).toBe(1)
  expect(freePlace([{ path: '', target: 'sdb' }])).toBe(0)
  expect(hasController(live)).toBe(true)
})

test('a memory is loaded by the devices that it knows, where volumes are among them', () => {
  const element = volumeElement(data.volumeId, data.path, 0)
  const saved = definition.replace('</devices>', `${element}${controllerElement}</devices>`)
  expect(withDevicesOf(definition, saved)).toBe(saved)
  expect(withDevicesOf(saved, definition)).toBe(definition)
  const other = definition.replace('usb', 'sata')
  expect(withDevicesOf(definition, other)).toBe(definition)
})
