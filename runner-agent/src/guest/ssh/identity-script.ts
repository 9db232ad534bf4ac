import { randomSeedPath } from '../../host/random-seed.ts'

/** Names that the script prints first, one `name value` per line in this order. */
export const identityFields = ['machine_id', 'hostname', 'seed'] as const

/**
 * Prints the guest's identity, one `name value` per line, then answers requests on its input: `time` with its clock,
 * `set <seconds>` by setting the clock. With these requests a measurement is one short round trip without starting a
 * program. The script starts no process of its own: an emulated guest that has just booted is busy.
 */
export const identityScript = [
  'machine_id= hostname= seed=',
  'read -r machine_id </etc/machine-id',
  'read -r hostname </proc/sys/kernel/hostname',
  `[ -r ${randomSeedPath} ] && read -r seed <${randomSeedPath}`,
  'printf \'machine_id %s\\nhostname %s\\nseed %s\\n\' "$machine_id" "$hostname" "$seed"',
  'while read -r request value; do',
  '  case $request in',
  `    time) printf 'time %s\\n' "$EPOCHREALTIME" ;;`,
  '    set) date -u -s "@$value" >/dev/null ;;',
  '    *) exit 0 ;;',
  '  esac',
  'done',
].join('\n')
