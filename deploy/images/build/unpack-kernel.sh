#!/bin/bash
# Puts Debian's kernel and its modules into the guest's root without registering the package there:
# guests boot the kernel that the host gives them, so an upgrade inside one would cost minutes and change nothing.
# Run by mmdebstrap as a hook: unpack-kernel.sh ROOT
set -euo pipefail

root="$1"
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
package="$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')"
[[ -n $package ]] || { echo "linux-image-cloud-amd64 names no kernel package"; exit 1; }

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -o APT::Sandbox::User=root download "$package"
dpkg-deb --fsys-tarfile ./*.deb | tar -x -C "$root" --keep-directory-symlink ./boot ./lib/modules
release="${package#linux-image-}"
chroot "$root" depmod "$release"
