/**
 * Thunderbird on a screen of its own, with a prepared profile. What it does there stands in `thunderbird-inside.js`; the
 * steps of that file are called from here by their names.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestStack } from '../test-stack.ts';
import { openScreen, startProgram } from './desktop.ts';
import { address } from './mail.ts';
import { connectToMarionette } from './marionette.ts';
import { eventually, makeHome, within } from './program.ts';
import { lastLines } from './refusals.ts';

/** An account of Thunderbird's: where its mail comes from, and by which service it sends. */
export interface MailAccount {
  readonly account: string;
  readonly incoming: 'imap' | 'imaps' | 'pop3' | 'pop3s';
  readonly outgoing: 'submission' | 'submissions';
}

export interface Thunderbird extends AsyncDisposable {
  readonly home: string;
  /** @throws when it fails, or is not done within 20 seconds: with the dialogs that are open and the last lines spoken */
  step(name: string, ...args: readonly unknown[]): Promise<unknown>;
  /** As by its menu: it ends its conversations in order. */
  quit(): Promise<void>;
}

/** How long a step may take; none takes a tenth of it on a machine at rest. */
const STEP_MS = 20_000;

const INSIDE = await readFile(join(import.meta.dirname, 'thunderbird-inside.js'), 'utf8');

/** @param preferences beside its usual ones, or in their place */
export async function startThunderbird(
  stack: TestStack,
  accounts: readonly MailAccount[],
  preferences: Preferences = {},
): Promise<Thunderbird> {
  await using opening = new AsyncDisposableStack();
  const home = opening.use(await makeHome());
  const screen = opening.use(await openScreen());
  const profile = join(home.path, 'profile');
  await mkdir(profile);
  await writeFile(
    join(profile, 'user.js'),
    userJs({ ...quiet, ...accountPreferences(stack, accounts), ...preferences }),
  );

  const program = opening.use(
    startProgram('thunderbird', ['--marionette', '--remote-allow-system-access', '--no-remote', '--profile', profile], {
      HOME: home.path,
      DISPLAY: screen.display,
      // Nothing here speaks D-Bus, and none is to be started for it.
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
      MOZ_CRASHREPORTER_DISABLE: '1',
      // Its sandboxes need rights that a container may not have; the mail is ours.
      MOZ_DISABLE_CONTENT_SANDBOX: '1',
      MOZ_DISABLE_SOCKET_PROCESS_SANDBOX: '1',
    }),
  );
  const port = await marionettePort(profile).catch((error: unknown) => {
    throw new Error(`Thunderbird did not open its remote control:\n${program.said}`, { cause: error });
  });
  const marionette = opening.use(await connectToMarionette(port));
  const command = (name: string, parameters: object) => within(STEP_MS, name, marionette.command(name, parameters));
  await command('WebDriver:NewSession', {
    // A dialog that nobody expects stays, and its text is told.
    capabilities: { alwaysMatch: { unhandledPromptBehavior: 'ignore' } },
  });
  await command('WebDriver:SetTimeouts', { script: STEP_MS });
  await command('Marionette:SetContext', { value: 'chrome' });

  const execute = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    const script = `${INSIDE}\nreturn steps[arguments[0]](...arguments[1]);`;
    const parameters = { script, args: [name, args], sandbox: 'system', newSandbox: false };
    const answer = (await marionette.command('WebDriver:ExecuteScript', parameters)) as { readonly value: unknown };
    return answer.value;
  };
  const step = async (name: string, ...args: readonly unknown[]): Promise<unknown> => {
    try {
      return await within(STEP_MS, name, execute(name, args));
    } catch (error) {
      const situation = await within(2_000, 'situation', execute('situation', [])).catch(String);
      const told = `${JSON.stringify(situation, null, 2)}\n${lastLines(stack)}`;
      throw new Error(`Thunderbird, ${name}(${JSON.stringify(args)}): ${String(error)}\n${told}`, { cause: error });
    }
  };
  const users = accounts.map(({ account, incoming }) => ({
    user: address(account),
    schemes: [incoming.startsWith('imap') ? 'imap' : 'mailbox', 'smtp'],
  }));
  await step('prepare', await readFile(stack.authorityFile!, 'utf8'), users, 'glass');

  const opened = opening.move();
  return {
    home: home.path,
    step,
    async quit() {
      await command('Marionette:Quit', { flags: ['eAttemptQuit'] });
      await within(STEP_MS, 'its end', program.ended);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** It asks for any free port, and writes into its profile which one it got. */
async function marionettePort(profile: string): Promise<number> {
  let port = 0;
  await eventually(async () => {
    const written = await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => '');
    port = Number(written);
    return port > 0;
  }, 'the port of Marionette');
  return port;
}

type Preferences = Readonly<Record<string, string | number | boolean>>;

const userJs = (preferences: Preferences): string =>
  Object.entries(preferences)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');

/** No dialogs, no news, and no other host but this one: what would ask for one gets this one's closed port. */
const quiet: Preferences = {
  'marionette.port': 0,
  'network.dns.native-is-localhost': true,
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.trr.mode': 5,
  'app.donation.eoy.version.viewed': 999,
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'app.update.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'security.OCSP.enabled': 0,
  'services.settings.server': 'http://127.0.0.1:9/v1',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
  'calendar.timezone.useSystemTimezone': false,
  'mail.chat.enabled': false,
  'mail.cloud_files.enabled': false,
  'mail.compose.attachment_reminder': false,
  'mail.compose.autosave': false,
  'mail.inappnotifications.enabled': false,
  'mail.inappnotifications.url': '',
  'mail.phishing.detection.enabled': false,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.rights.version': 1,
  // By itself, after a while: it opens folders in the midst of a step, and a copy meant for one may never be made.
  'mail.server.default.autosync_offline_stores': false,
  'mail.shell.checkDefaultClient': false,
  'mail.spam.version': 1,
  'mail.spotlight.firstRunDone': true,
  'mail.startup.enabledMailCheckOnce': true,
  'mail.warn_on_send_accel_key': false,
  'mail.winsearch.firstRunDone': true,
  'mailnews.confirm.moveFoldersToTrash': false,
  'mailnews.start_page.enabled': false,
  'mailnews.start_page.url': '',
  'mailnews.start_page_override.mstone': 'ignore',
  'spellchecker.dictionary': '',
};

/** nsMsgSocketType of Thunderbird. */
const SOCKET = { starttls: 2, tls: 3 } as const;
/** nsMsgAuthMethod: an ordinary password. */
const PASSWORD = 3;

function accountPreferences(stack: TestStack, accounts: readonly MailAccount[]): Preferences {
  const preferences: Record<string, string | number | boolean> = {};
  const set = (branch: string, values: Preferences): void => {
    for (const [name, value] of Object.entries(values)) preferences[`${branch}.${name}`] = value;
  };
  const keys = (prefix: string): string => accounts.map((_, index) => `${prefix}${index + 1}`).join(',');
  set('mail', {
    'accountmanager.accounts': keys('account'),
    'accountmanager.defaultaccount': 'account1',
    'smtp.defaultserver': 'smtp1',
    smtpservers: keys('smtp'),
  });
  for (const [index, { account, incoming, outgoing }] of accounts.entries()) {
    const number = index + 1;
    const user = address(account);
    const isImap = incoming.startsWith('imap');
    set(`mail.account.account${number}`, { server: `server${number}`, identities: `id${number}` });
    set(`mail.server.server${number}`, {
      type: isImap ? 'imap' : 'pop3',
      hostname: 'localhost',
      port: stack.port(incoming),
      socketType: incoming.endsWith('s') ? SOCKET.tls : SOCKET.starttls,
      userName: user,
      name: user,
      authMethod: PASSWORD,
      // Only when a step has it so.
      login_at_startup: false,
      check_new_mail: false,
      ...(isImap
        ? // As many as there are mailboxes in a test: it waits with IDLE where it has a connection.
          { use_idle: true, max_cached_connections: 20, delete_model: 1, trash_folder_name: 'Trash' }
        : { leave_on_server: true }),
    });
    set(`mail.smtpserver.smtp${number}`, {
      hostname: 'localhost',
      port: stack.port(outgoing),
      try_ssl: outgoing === 'submissions' ? SOCKET.tls : SOCKET.starttls,
      username: user,
      authMethod: PASSWORD,
    });
    const folders = `${isImap ? 'imap' : 'mailbox'}://${encodeURIComponent(user)}@localhost`;
    set(`mail.identity.id${number}`, {
      useremail: user,
      fullName: account,
      smtpServer: `smtp${number}`,
      compose_html: false,
      fcc: true,
      fcc_folder: `${folders}/Sent`,
      fcc_folder_picker_mode: '1',
      draft_folder: `${folders}/Drafts`,
      drafts_folder_picker_mode: '1',
      valid: true,
    });
  }
  return preferences;
}
