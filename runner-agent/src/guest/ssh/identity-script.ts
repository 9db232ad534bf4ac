import { randomSeedPath } from '../../host/random-seed.ts'

/** What the script says first, one `name value` a line in this order. */
export const identityFields = ['machine_id', 'hostname', 'seed'] as const

/**
 * Says who the guest is, one `name value` a line, then answers requests on its input: `time` with its clock,
 * `set <seconds>` by setting it. The requests make the measurement one short trip, without the start of the program.
 * Starts no process of its own: an emulated guest has just booted and is busy.
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
