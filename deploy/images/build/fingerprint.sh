# What tells one image from another.

# sha256 over everything a build depends on but the packages' versions: rebuild by hand for newer packages.
image_fingerprint() {
  {
    printf '%s\n' "$variant" "$with" "$tuned" "$name" "$size" "$codename"
    debian_sources
    cd "$images"
    find build build-base-image.sh guest -type f -printf '%p %m\n' | LC_ALL=C sort
    find build build-base-image.sh guest -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
  } | sha256sum | cut -d' ' -f1
}

# holds_image DIR FINGERPRINT
holds_image() {
  [[ -f $1/image.json ]] && grep -q "\"fingerprint\": \"$2\"" "$1/image.json"
}

# The parts are written before image.json and the folder is renamed at the end, so a folder with image.json is whole.
place_image() {
  cat >"$work/image/image.json" <<JSON
{
  "name": "$name",
  "format": "$variant",
  "disk": "disk.qcow2",
  "kernel": "vmlinuz",
  "initrd": "initrd.img",
  "commandLine": "$command_line",
  "sshUser": "root",
  "fingerprint": "$fingerprint"
}
JSON
  chmod 755 "$work/image"
  if [[ -e $output ]]; then
    [[ -f $output/image.json ]] || [[ -z $(ls -A "$output") ]] || fail "$output holds something that is not an image; left alone"
    mv --no-target-directory "$output" "$work/replaced"
  fi
  mv --no-target-directory "$work/image" "$output"
}
