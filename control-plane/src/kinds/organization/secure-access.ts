import { organizationKind, secureAccessSchema } from '@hearth/contract'
import { addEndpoint } from '../../api/endpoint.ts'
import type { AddRoute } from '../../resource/routes.ts'

/** How whoever has a token reaches this control plane over HTTPS, and whom to trust for that. */
export const showSecureAccess: AddRoute = (application, services) =>
  addEndpoint(application, services, {
    method: 'get',
    path: '/v1/secure-access',
    tag: organizationKind.tag,
    summary: 'How to reach this control plane over HTTPS, and whom to trust for that',
    roles: [],
    answer: { status: 200, schema: secureAccessSchema, description: 'Port, names and authority' },
    handle: async () => {
      const access = services.secureAccess
      return {
        status: 200,
        value: {
          port: access?.port ?? null,
          hosts: access?.hosts ?? [],
          certificateAuthority: access?.authority ?? null,
        },
      }
    },
  })
