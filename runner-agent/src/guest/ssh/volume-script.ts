import { quote } from '../../secure-shell/quote.ts'
import type { GuestVolume } from '../volume.ts'

/** How the scripts end where they could not do it; what they print says why. */
export const volumeExits = { busy: 81, inTheWay: 82, noDisk: 83, failed: 84 } as const

/** Paths that a test sets otherwise. */
export interface VolumePaths {
  fstab: string
  modules: string
  sys: string
  mounts: string
}
const guestPaths: VolumePaths = {
  fstab: '/etc/fstab',
  modules: '/etc/modules-load.d/hearth-volumes.conf',
  sys: '/sys/class/block',
  mounts: '/proc/self/mountinfo',
}

/** The disk is found by its serial number, which is the volume's id, whether or not udev has named it yet. */
const common = ({ volumeId, mountPath }: GuestVolume, paths: VolumePaths) => `
id=${quote(volumeId)} path=$(realpath -m -- ${quote(mountPath)}) fstab=${quote(paths.fstab)} modules=${quote(paths.modules)}
sys=${quote(paths.sys)} mounts=${quote(paths.mounts)}
name=/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_$id
find_disk() {
  local page
  for page in "$sys"/sd*/device/vpd_pg80; do
    [ -r "$page" ] || continue
    if tr -d '\\0' <"$page" | grep -qaF -- "$id"; then
      disk=\${page%/device/vpd_pg80}
      disk=\${disk##*/}
      return 0
    fi
  done
  return 1
}
mounted_at() { awk -v device="$(cat "$sys/$disk/dev")" '$3 == device { print $5 }' "$mounts"; }
write_fstab() {
  touch "$fstab"
  { grep -vF -- "$name " "$fstab"; [ -z "$1" ] || printf '%s\\n' "$1"; } >"$fstab.hearth"
  if cmp -s "$fstab" "$fstab.hearth"; then rm -f "$fstab.hearth"; return; fi
  chmod 0644 "$fstab.hearth" && sync "$fstab.hearth" && mv "$fstab.hearth" "$fstab"
  systemctl daemon-reload >/dev/null 2>&1 || true
}
`

export function mountScript(volume: GuestVolume, user: string, paths: VolumePaths = guestPaths): string {
  return `${common(volume, paths)}
modprobe -qa virtio_scsi sd_mod || true
found=no
for attempt in $(seq 100); do
  if find_disk; then found=yes; break; fi
  [ $((attempt % 20)) != 0 ] || for scan in /sys/class/scsi_host/host*/scan; do echo '- - -' >"$scan"; done
  sleep 0.2
done
[ $found = yes ] || { echo 'its disk does not appear in the guest'; exit ${volumeExits.noDisk}; }
udevadm settle --timeout=5 >/dev/null 2>&1 || true
line="$name $path ext4 defaults,nofail,x-systemd.device-timeout=90 0 2"
if mounted_at | grep -qxF -- "$path"; then here=yes; else here=no; fi
if [ $here = no ]; then
  for other in $(mounted_at); do umount -- "$other" || exit ${volumeExits.failed}; done
  if awk -v path="$path" -v device="$(cat "$sys/$disk/dev")" \\
    '$5 == path && $3 != device { found = 1 } END { exit !found }' "$mounts"; then
    echo "something else is mounted at $path: give the volume another mount path"
    exit ${volumeExits.inTheWay}
  fi
  if [ -e "$path" ] && [ ! -d "$path" ]; then
    echo "$path is there and is no folder: give the volume another mount path"
    exit ${volumeExits.inTheWay}
  fi
  if [ -d "$path" ] && [ -n "$(ls -A -- "$path")" ] && ! grep -qF -- "$name $path " "$fstab"; then
    echo "$path is not empty, and what is in it would be hidden: give the volume another mount path, or empty that folder"
    exit ${volumeExits.inTheWay}
  fi
fi
printf 'virtio_scsi\\nsd_mod\\n' >"$modules" || true
write_fstab "$line"
if [ $here = no ]; then
  mkdir -p -- "$path"
  # A guest that has just booted may be about to check or mount it itself.
  for attempt in $(seq 40); do
    if mounted_at | grep -qxF -- "$path"; then here=yes; break; fi
    if said=$(mount -t ext4 -- "/dev/$disk" "$path" 2>&1); then here=yes; break; fi
    sleep 0.5
  done
  [ $here = yes ] || { echo "$said"; exit ${volumeExits.failed}; }
  # A new volume is for whoever logs in.
  if [ "$(ls -A -- "$path")" = lost+found ] && [ "$(stat -c %u:%g -- "$path")" = 0:0 ]; then
    chown -- ${quote(`${user}:`)} "$path" || true
  fi
fi
said=$(resize2fs "/dev/$disk" 2>&1) || { echo "$said"; exit ${volumeExits.failed}; }
`
}

export function unmountScript(volume: GuestVolume, force: boolean, paths: VolumePaths = guestPaths): string {
  const give = force ? 'umount -l -- "$at" || true' : notForced
  return `${common(volume, paths)}
users_of() {
  local process
  find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd -maxdepth 1 \\
    '(' -lname "$1" -o -lname "$1/*" ')' 2>/dev/null | cut -d / -f 3 | sort -un | head -n 5 | while read -r process; do
    printf '%s (%s) ' "$(tr -cd '[:print:]' <"/proc/$process/comm")" "$process"
  done
}
if find_disk; then
  for at in $(mounted_at); do
    sync -f "$at" || true
    ${give}
  done
  write_fstab ''
  blockdev --flushbufs "/dev/$disk" 2>/dev/null || true
  echo 1 >"$sys/$disk/device/delete"
else
  write_fstab ''
fi
`
}

const notForced = `gone=no
    for attempt in $(seq 20); do
      if umount -- "$at" 2>/dev/null; then gone=yes; break; fi
      sleep 0.2
    done
    if [ $gone = no ]; then
      echo "programs use it: $(users_of "$at" | head -c 300)"
      exit ${volumeExits.busy}
    fi`
