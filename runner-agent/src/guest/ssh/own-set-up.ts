const growSeconds = 30

/**
 * The bash program that waits until the guest has finished its own set-up and prints a note for a person. cloud-init,
 * where present, also grows the file system; Hearth's own image does that in a service of its own.
 */
export function ownSetUpScript(diskGibibytes: number): string {
  // A file system uses part of its disk for itself, and an image may have other partitions.
  const wantedKibibytes = Math.floor(diskGibibytes * 1024 * 1024 * 0.9)
  return [
    'LC_ALL=C',
    'if command -v cloud-init >/dev/null; then',
    '  cloud-init status --wait >/dev/null 2>&1 </dev/null',
    '  code=$?',
    '  ((code == 0)) || {',
    `    printf 'cloud-init status --wait ended with %s:\\n' "$code"`,
    '    said=$(cloud-init status --long 2>&1 </dev/null)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's
    '    printf \'%s\\n\' "${said:0:2000}"',
    '  }',
    '  exit 0',
    'fi',
    'exec {idle}<> <(:)',
    `SECONDS=0 wanted=${wantedKibibytes} have=`,
    `while ((SECONDS < ${growSeconds})); do`,
    "  said=$(stat -f -c '%b %S' /) || exit 0",
    '  [[ $said =~ ^([0-9]+)\\ ([0-9]+)$ ]] || exit 0',
    '  have=$((BASH_REMATCH[1] * BASH_REMATCH[2] / 1024))',
    '  ((have >= wanted)) && exit 0',
    '  read -r -t 0.2 -u "$idle"',
    'done',
    `printf 'the root file system has %s MiB of the disk of ${diskGibibytes} GiB, and did not grow within ${growSeconds} s\\n' $((have / 1024))`,
  ].join('\n')
}
