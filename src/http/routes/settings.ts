/** How the server is set up: read here, changed by its options alone. */
import { HttpProblem } from '../problem.ts';
import { json, route } from '../route.ts';
import { problem } from '../schemas/common.ts';
import { type Settings, settings } from '../schemas/settings.ts';

export const settingsRoutes = [
  route({
    method: 'get',
    path: '/api/glass/settings',
    group: 'Server',
    summary: 'How the server is set up: listeners, limits, data, retention',
    administration: true,
    answers: {
      200: { description: 'As it runs', schema: settings },
      403: { description: 'Not for this client', schema: problem },
      404: { description: 'A test scope has no server of its own', schema: problem },
    },
    async handle(_input, { settings: given, certificates, retention }) {
      if (!given) throw new HttpProblem(404, 'a test scope has no server of its own');
      const { rules, ...others } = given();
      const sha256 = certificates?.authorityPem === undefined ? undefined : certificates.fingerprints.authority?.sha256;
      return json({
        ...others,
        retention: { messages: rules.messages ?? null, ageMs: rules.ageMs ?? null, removed: retention?.removed ?? 0 },
        authority: sha256 === undefined ? null : { sha256, names: certificates!.names },
      } satisfies Settings);
    },
  }),
];
