import type { EnvironmentOrder, MachineSource } from '@hearth/contract'
import type { MachineSpecification } from '../../host/machine.ts'

/** The specification of the machine that an order asks for, made from the snapshot or from the image. */
export function machineSpecification(
  order: EnvironmentOrder,
  source: MachineSource | null,
): MachineSpecification {
  const { plan } = order
  return {
    environmentId: order.id,
    hostname: hostnameOf(order),
    image: plan.image,
    virtualCpus: plan.virtualCpus,
    memoryMebibytes: plan.memoryMebibytes,
    diskGibibytes: plan.diskGibibytes,
    limits: plan.limits ?? {},
    userCertificateAuthority: order.userCertificateAuthority,
    principal: order.principal,
    source: source === null ? null : { layerId: source.snapshotId },
  }
}

/** The environment's name reduced to the characters of a host name, or its id. */
export function hostnameOf({ id, name }: Pick<EnvironmentOrder, 'id' | 'name'>): string {
  const fitting = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return fitting === '' ? `hearth-${id}` : fitting
}
