# The guest's disk: one ext4 file system without a partition table, as a qcow2 file.

make_disk() {
  # Zeroed by the sparse file already: otherwise every guest would write its inode tables once more.
  mke2fs -q -t ext4 -L root -m 1 -J size=32 -E assume_storage_prezeroed=1 -d "$root" "$work/disk.raw" "$size"
  qemu-img convert -f raw -O qcow2 "$work/disk.raw" "$work/image/disk.qcow2"
  chmod 644 "$work"/image/*
}
