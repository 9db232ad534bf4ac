import { type StepName, stepNameSchema } from '@hearth/contract'
import { z } from 'zod'
import {
  deniedNetworks,
  firstGuestUser,
  guestNetwork,
  nameServer,
  openedPorts,
} from './config/guest-network.ts'
import { guestPorts, httpListen, ingressDomain, ingressOf, syntheticPorts } from './config/ingress.ts'
import { listenAddress } from './config/listen-address.ts'

const positive = z.coerce.number().int().positive()
const milliseconds = z.coerce.number().int().nonnegative()

/** A list `name:number,name:number` of step names and numbers, for example `create_vm:0.1,project_setup:1`. */
const perStep = (value: z.ZodType<number>) =>
  z
    .string()
    .default('')
    .transform((text, context) => {
      const result: Partial<Record<StepName, number>> = {}
      for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
        const [name, number] = part.split(':')
        const step = stepNameSchema.safeParse(name?.trim())
        const parsed = value.safeParse(number === undefined || number === '' ? Number.NaN : Number(number))
        if (!step.success || !parsed.success) {
          context.addIssue({ code: 'custom', message: `"${part}" is not <step name>:<number>` })
          continue
        }
        result[step.data] = parsed.data
      }
      return result
    })

const sshTarget = z
  .string()
  .regex(/^[^@\s]+@[^@\s:]+(:\d+)?$/, 'user@host or user@host:port')
  .transform((text) => {
    const [user = '', rest = ''] = text.split('@')
    const [host = '', port = '22'] = rest.split(':')
    return { user, host, port: Number(port) }
  })

const environmentSchema = z
  .object({
    HEARTH_AGENT_STATE: z.string().min(1),
    HEARTH_AGENT_HOST: z.enum(['libvirt', 'synthetic']).default('libvirt'),
    HEARTH_IMAGES: z.string().optional(),
    HEARTH_LIBVIRT_URI: z.string().optional(),
    HEARTH_VIRTUALIZATION: z.enum(['auto', 'kvm', 'qemu']).default('auto'),
    HEARTH_HOST_SSH: sshTarget.optional(),
    HEARTH_HOST_SSH_KEY_FILE: z.string().optional(),
    HEARTH_HOST_SSH_HOST_KEY: z.string().optional(),
    HEARTH_HOST_STATE: z.string().optional(),
    HEARTH_GUEST_ADDRESS: z.string().default('127.0.0.1'),
    HEARTH_GUEST_NETWORK: guestNetwork,
    HEARTH_GUEST_ALLOW: openedPorts,
    HEARTH_GUEST_DENY: deniedNetworks,
    HEARTH_GUEST_NAME_SERVER: nameServer.optional(),
    HEARTH_GUEST_FIRST_USER: firstGuestUser.optional(),
    HEARTH_AGENT_LISTEN: listenAddress.optional(),
    HEARTH_LAYERS_ADDRESS: listenAddress.optional(),
    HEARTH_CAPACITY_VIRTUAL_CPUS: positive.optional(),
    HEARTH_CAPACITY_MEMORY_MEBIBYTES: positive.optional(),
    HEARTH_CAPACITY_DISK_GIBIBYTES: positive.optional(),
    HEARTH_BOOT_CONCURRENCY: positive.optional(),
    HEARTH_RESUME_FREE_MEBIBYTES: positive.default(1_024),
    HEARTH_DISK_RESERVE_GIBIBYTES: z.coerce.number().nonnegative().default(2),
    HEARTH_STEP_DEADLINE_SECONDS: perStep(z.number().positive()),
    HEARTH_SYNTHETIC_CREATE_MILLISECONDS: milliseconds.default(50),
    HEARTH_SYNTHETIC_BOOT_MILLISECONDS: milliseconds.default(500),
    HEARTH_SYNTHETIC_STEP_MILLISECONDS: milliseconds.default(200),
    HEARTH_SYNTHETIC_FREEZE_MILLISECONDS: milliseconds.default(50),
    HEARTH_SYNTHETIC_RESUME_MILLISECONDS: milliseconds.default(200),
    HEARTH_SYNTHETIC_READ_MILLISECONDS: milliseconds.default(0),
    HEARTH_SYNTHETIC_REPOSITORIES: z.string().min(1).optional(),
    HEARTH_SYNTHETIC_COMMANDS: z.enum(['refuse', 'run']).default('refuse'),
    HEARTH_SYNTHETIC_PORTS: syntheticPorts,
    HEARTH_INGRESS_DOMAIN: ingressDomain.optional(),
    HEARTH_INGRESS_LISTEN: listenAddress.prefault('0.0.0.0:443'),
    HEARTH_INGRESS_HTTP_LISTEN: httpListen,
    HEARTH_INGRESS_AUTHORITY: z.enum(['acme', 'internal']).optional(),
    HEARTH_INGRESS_ACME_EMAIL: z.email().optional(),
    HEARTH_INGRESS_ACME_DIRECTORY: z.url().optional(),
    HEARTH_INGRESS_ACME_ROOT: z.string().regex(/^\//, 'an absolute path').optional(),
    HEARTH_INGRESS_ASK_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
    HEARTH_DOMAIN_RESOLVER: listenAddress.optional(),
    HEARTH_INGRESS_CADDY: z.string().min(1).default('caddy'),
    HEARTH_INGRESS_STOPS: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true'),
    HEARTH_GUEST_PORTS: guestPorts,
    HEARTH_SYNTHETIC_FAILURES: perStep(z.number().min(0).max(1)),
    HEARTH_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  })
  .superRefine((given, context) => {
    const missing = (name: string, why: string) =>
      context.addIssue({ code: 'custom', path: [name], message: `is needed ${why}` })
    if (given.HEARTH_AGENT_HOST === 'libvirt' && given.HEARTH_IMAGES === undefined) {
      missing('HEARTH_IMAGES', 'with HEARTH_AGENT_HOST=libvirt')
    }
    if (given.HEARTH_HOST_SSH === undefined) return
    if (given.HEARTH_HOST_SSH_KEY_FILE === undefined)
      missing('HEARTH_HOST_SSH_KEY_FILE', 'with HEARTH_HOST_SSH')
    if (given.HEARTH_HOST_SSH_HOST_KEY === undefined)
      missing('HEARTH_HOST_SSH_HOST_KEY', 'with HEARTH_HOST_SSH')
  })

export type Config = ReturnType<typeof readConfig>

/** Reads the program's settings. Throws one Error that lists every invalid setting on a line of its own. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>) {
  const parsed = environmentSchema.safeParse(environment)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new Error(`the settings do not fit:\n${faults.join('\n')}`)
  }
  const given = parsed.data
  return {
    stateFolder: given.HEARTH_AGENT_STATE,
    hostKind: given.HEARTH_AGENT_HOST,
    libvirt: {
      uri: given.HEARTH_LIBVIRT_URI ?? null,
      virtualization: given.HEARTH_VIRTUALIZATION,
      imagesFolder: given.HEARTH_IMAGES ?? '',
      guestAddress: given.HEARTH_GUEST_ADDRESS,
      network: {
        network: given.HEARTH_GUEST_NETWORK,
        allow: given.HEARTH_GUEST_ALLOW,
        deny: given.HEARTH_GUEST_DENY,
        nameServer: given.HEARTH_GUEST_NAME_SERVER ?? null,
        firstUser: given.HEARTH_GUEST_FIRST_USER ?? null,
        // Nobody else has use for them.
        forwarded: given.HEARTH_INGRESS_DOMAIN === undefined ? [] : given.HEARTH_GUEST_PORTS,
      },
      /** Folder on the driven host that holds a folder for each machine. */
      hostStateFolder: given.HEARTH_HOST_STATE ?? given.HEARTH_AGENT_STATE,
      secureShell:
        given.HEARTH_HOST_SSH === undefined
          ? null
          : {
              ...given.HEARTH_HOST_SSH,
              keyFile: given.HEARTH_HOST_SSH_KEY_FILE ?? '',
              hostKey: given.HEARTH_HOST_SSH_HOST_KEY ?? '',
            },
    },
    synthetic: {
      createMilliseconds: given.HEARTH_SYNTHETIC_CREATE_MILLISECONDS,
      bootMilliseconds: given.HEARTH_SYNTHETIC_BOOT_MILLISECONDS,
      stepMilliseconds: given.HEARTH_SYNTHETIC_STEP_MILLISECONDS,
      freezeMilliseconds: given.HEARTH_SYNTHETIC_FREEZE_MILLISECONDS,
      resumeMilliseconds: given.HEARTH_SYNTHETIC_RESUME_MILLISECONDS,
      readMilliseconds: given.HEARTH_SYNTHETIC_READ_MILLISECONDS,
      failures: given.HEARTH_SYNTHETIC_FAILURES,
      repositories: given.HEARTH_SYNTHETIC_REPOSITORIES ?? null,
      runsCommands: given.HEARTH_SYNTHETIC_COMMANDS === 'run',
      ports: given.HEARTH_SYNTHETIC_PORTS,
    },
    capacity: {
      virtualCpus: given.HEARTH_CAPACITY_VIRTUAL_CPUS,
      memoryMebibytes: given.HEARTH_CAPACITY_MEMORY_MEBIBYTES,
      diskGibibytes: given.HEARTH_CAPACITY_DISK_GIBIBYTES,
    },
    bootConcurrency: given.HEARTH_BOOT_CONCURRENCY,
    resumeFreeBytes: given.HEARTH_RESUME_FREE_MEBIBYTES * 1024 ** 2,
    /** Free space on the driven host that new layers leave. */
    diskReserveBytes: given.HEARTH_DISK_RESERVE_GIBIBYTES * 1024 ** 3,
    stepDeadlines: given.HEARTH_STEP_DEADLINE_SECONDS,
    listen: given.HEARTH_AGENT_LISTEN ?? null,
    /** Where this agent serves layers, under the address that other runners reach it at. */
    layersAddress: given.HEARTH_LAYERS_ADDRESS ?? null,
    ingress: ingressOf(given),
    logLevel: given.HEARTH_LOG_LEVEL,
  }
}
