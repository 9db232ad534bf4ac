import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mountScript, unmountScript, type VolumePaths, volumeExits } from './volume-script.ts'

const volumeId = '0197a3c2-7b1e-7c3a-9a51-0d3f5f0b8a11'
const device = `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${volumeId}`
/** A name that no disk of the host that runs this has. */
const disk = 'sd-of-a-test'

let root: string
let paths: VolumePaths
let mountPath: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hearth-volume-')))
  const at = (name: string) => join(root, name)
  paths = { fstab: at('fstab'), modules: at('modules'), sys: at('sys'), mounts: at('mounts') }
  mountPath = at('data')
  writeFileSync(paths.fstab, '/dev/vda / ext4 defaults 0 1\n')
  writeFileSync(paths.mounts, '')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A disk of the guest, as the kernel shows it: its serial number stands behind a head of four bytes. */
function plug(): void {
  mkdirSync(join(paths.sys, disk, 'device'), { recursive: true })
  writeFileSync(join(paths.sys, disk, 'device/vpd_pg80'), `\0\u0080\0\u0024${volumeId}`)
  writeFileSync(join(paths.sys, disk, 'device/delete'), '')
  writeFileSync(join(paths.sys, disk, 'dev'), '8:0\n')
}
const mounted = (path: string, number: string) => `36 25 ${number} / ${path} rw - ext4 /dev/x rw\n`
function run(script: string) {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 60_000 })
  return { status, said: `${stdout}${stderr}` }
}
const volume = () => ({ volumeId, mountPath })
const fstab = () => readFileSync(paths.fstab, 'utf8')

test('a volume is not mounted over what is in the way, which is said, and later boots do not know it', () => {
  plug()
  const before = fstab()
  mkdirSync(mountPath)
  writeFileSync(join(mountPath, 'file'), '')
  const full = run(mountScript(volume(), 'root', paths))
  expect([full.status, full.said]).toEqual([volumeExits.inTheWay, expect.stringContaining('is not empty')])
  writeFileSync(paths.mounts, mounted(mountPath, '254:16'))
  const taken = run(mountScript(volume(), 'root', paths))
  expect([taken.status, taken.said]).toEqual([
    volumeExits.inTheWay,
    expect.stringContaining('something else'),
  ])
  expect(fstab()).toBe(before)
})

test('one that is mounted stays, and is known to later boots once', () => {
  plug()
  writeFileSync(paths.mounts, mounted(mountPath, '8:0'))
  for (const _ of [1, 2]) run(mountScript(volume(), 'root', paths))
  const line = `${device} ${mountPath} ext4 defaults,nofail,x-systemd.device-timeout=90 0 2\n`
  expect(fstab()).toBe(`/dev/vda / ext4 defaults 0 1\n${line}`)
  expect(readFileSync(paths.modules, 'utf8')).toBe('virtio_scsi\nsd_mod\n')
})

test('one that is taken out is let go of by the kernel, and later boots forget it and no other', () => {
  const others = `/dev/vda / ext4 defaults 0 1\n${device}0 /other ext4 defaults 0 2\n`
  const write = () => writeFileSync(paths.fstab, `${others}${device} ${mountPath} ext4 defaults 0 2\n`)
  write()
  expect(run(unmountScript(volume(), false, paths)).status).toBe(0)
  expect(fstab()).toBe(others)
  write()
  plug()
  expect(run(unmountScript(volume(), false, paths)).status).toBe(0)
  expect([fstab(), readFileSync(join(paths.sys, disk, 'device/delete'), 'utf8')]).toEqual([others, '1\n'])
})

test('one that programs use is not taken from them, and they are named', () => {
  plug()
  mkdirSync(mountPath)
  writeFileSync(paths.mounts, mounted(mountPath, '8:0'))
  const user = `cd ${mountPath}; ${unmountScript(volume(), false, paths)}`
  const { status, said } = run(user)
  expect([status, said]).toEqual([volumeExits.busy, expect.stringMatching(/programs use it: bash \(\d+\)/)])
  expect(readFileSync(join(paths.sys, disk, 'device/delete'), 'utf8')).toBe('')
})
