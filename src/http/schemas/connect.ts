/** The shapes of what connects a mail program: its settings in every form, and how far one has come. */
import { z } from 'zod';
import { loginName } from './accounts.ts';
import { count, nullable, time } from './common.ts';
import { diagnosis } from './reading.ts';

const serverHost = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s\x00-\x1f\x7f<>"'&/\\@]+$/u, 'must be a host name or an address');

export const connectQuery = z.object({
  account: loginName.optional().describe('Whose; the first account if it is left out.'),
  host: serverHost
    .optional()
    .describe('How the program will reach this server; as this request did if it is left out.'),
});

const fingerprints = z
  .object({ sha1: z.string(), sha256: z.string() })
  .describe('Groups of four hexadecimal digits, as mutt prints them.');

const offeredService = z.object({
  service: z.string().describe('`imaps`, `submission`, …'),
  protocol: z.enum(['imap', 'pop3', 'smtp']),
  port: z.int(),
  security: z.enum(['tls', 'starttls']).describe('`tls`: from the first octet.'),
});

const textConfiguration = z
  .object({
    program: z.string().describe('Its short name, as in addresses: `mutt`.'),
    title: z.string(),
    kind: z.enum(['reader', 'tool', 'library', 'framework']),
    authority: nullable(z.string()).describe('The command that fetches the certificate which the files name.'),
    files: z.array(
      z.object({
        name: z.string().describe('`~` is the home folder.'),
        text: z.string(),
        secret: z.boolean().describe('It has, or will have, a password: nobody else should be able to read it.'),
      }),
    ),
    run: nullable(z.string()).describe('A command for the shell.'),
    note: nullable(z.string()),
  })
  .meta({ id: 'TextConfiguration' });
export type TextConfiguration = z.infer<typeof textConfiguration>;

export const connectSettings = z
  .object({
    account: z.string(),
    host: z.string(),
    userName: z.string(),
    password: nullable(z.string()).describe(
      "The server's own default, if it still opens the account and you may know it (capture mode).",
    ),
    services: z.array(offeredService).describe('In the order in which programs should choose.'),
    application: nullable(z.int()).describe(
      'The port at which applications hand mail in without login, in capture mode.',
    ),
    loopbackOnly: z.boolean().describe('No other computer can reach this server.'),
    networkAddresses: z.array(z.string()).describe('Of this machine in private networks.'),
    authority: nullable(fingerprints).describe('null: the certificate is signed by an authority of somebody else.'),
    certificate: nullable(z.object({ fingerprints, names: z.array(z.string()) })),
    profile: nullable(z.string()).describe('The path of the configuration profile for Apple’s systems.'),
    records: z.string().describe('Lines for the zone of the domain (RFC 6186, RFC 8314).'),
    configurations: z
      .array(textConfiguration)
      .describe('Empty for an account whose name a shell or a quoted string could misread.'),
  })
  .meta({ id: 'ConnectSettings' });
export type ConnectSettings = z.infer<typeof connectSettings>;

export const progressQuery = z.object({
  account: loginName.optional().describe('Whose; the first account if it is left out.'),
  since: time.optional().describe('Only what began later.'),
});

const connectStep = z.object({
  step: z.enum(['settings', 'reached', 'secured', 'login', 'opened', 'read', 'sent', 'copied']),
  state: z.enum(['done', 'failed', 'waiting', 'unneeded']),
  at: nullable(time).describe('When it was done, or failed.'),
  conversation: nullable(z.string()).describe('In which conversation.'),
  service: nullable(z.string()),
  detail: nullable(z.string()).describe('What exactly was done; of what failed: why.'),
  diagnoses: z
    .array(diagnosis)
    .readonly()
    .describe('What the doctor makes of the conversation: with the step that failed in it, or else with its last one.'),
});
export type ConnectStep = z.infer<typeof connectStep>;

export const connectProgress = z
  .object({
    account: z.string(),
    recording: z.boolean().describe('Without it, nothing but the counts can be known.'),
    began: nullable(time).describe('When the newest attempt began; null: there is none.'),
    client: nullable(z.string()).describe('The address that it comes from.'),
    steps: z.array(connectStep).describe('In the order in which programs take them.'),
    services: z.array(
      z.object({
        service: z.string(),
        port: z.int(),
        connections: nullable(count).describe('Since the start of the server; null: you may not know.'),
      }),
    ),
  })
  .meta({ id: 'ConnectProgress' });
export type ConnectProgress = z.infer<typeof connectProgress>;
