import type { EnvironmentOrder } from '@hearth/contract'
import type { MachineSpecification } from '../../host/machine.ts'

/** The specification of the machine that an order asks for. */
export function machineSpecification(order: EnvironmentOrder): MachineSpecification {
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
    source: null,
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
