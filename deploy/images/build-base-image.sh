#!/bin/bash
# Builds a Hearth base image (disk, kernel, initrd and their description) from Debian packages.
set -euo pipefail

images="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
for part in messages arguments apt-sources fingerprint root-filesystem boot-files disk; do
  # shellcheck source=/dev/null
  source "$images/build/$part.sh"
done

parse_arguments "$@"
require_tools
codename="$(guest_codename)"
fingerprint="$(image_fingerprint)"

if [[ $print_fingerprint == yes ]]; then
  echo "$fingerprint"
  exit 0
fi
if holds_image "$output" "$fingerprint"; then
  say "$output already holds this image (fingerprint ${fingerprint:0:12})"
  exit 0
fi
require_root

mkdir -p "$(dirname "$output")"
work="$(mktemp -d "$(dirname "$output")/.$(basename "$output").building.XXXXXX")"
trap 'remove_work' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/image"

say "building $name: Debian $codename, variant $variant${with:+ with $with}$([[ $tuned == yes ]] || echo ', untuned')"
phase "installing packages" install_packages
phase "preparing the guest" prepare_guest
phase "making kernel and initrd" make_boot_files
phase "making the disk" make_disk
phase "putting the image in place" place_image
say "$output is ready in ${SECONDS} s ($(du -sh "$output" | cut -f1))"
