/** "Do it for me": which command comes next on the way to something. */
import type { SessionState } from './session.ts';

export type TaskName = 'send' | 'unread' | 'delete';

export const TASKS: Readonly<Record<'smtp' | 'submission' | 'imap' | 'pop3', readonly TaskName[]>> = {
  smtp: ['send'],
  submission: ['send'],
  imap: ['unread'],
  pop3: ['delete'],
};

export interface Proposal {
  /** A command without tag, or a message for the text area. */
  readonly command?: string;
  readonly text?: string;
  readonly why: string;
}

/** @returns undefined: there is nothing to do, or it is done */
export function nextOf(task: TaskName, state: SessionState, account: string, other: string): Proposal | undefined {
  const { standing, units } = state;
  if (!standing || state.phase !== 'open') return undefined;
  const said = new Set(units.filter(({ side }) => side === 'client').map(({ name }) => name));
  const { expects, announced, secure } = standing;
  const offers = (word: string): boolean => announced?.some((line) => line.split(' ', 1)[0] === word) === true;
  if (expects.type === 'message' && task === 'send') {
    return {
      text: `From: ${account}\nTo: ${other}\nSubject: Written by hand\n\nHello,\n\nthis was typed into a console.\n`,
      why: 'The message: headers, an empty line, the text.',
    };
  }
  if (expects.type !== 'command') return undefined;
  const login = said.has('AUTH') || said.has('PASS') || said.has('LOGIN') || said.has('AUTHENTICATE');
  switch (task) {
    case 'send':
      if (said.has('DATA')) return { command: 'QUIT', why: 'The server has the message: you may go.' };
      if (standing.state === 'connected')
        return { command: 'EHLO me', why: 'Say who you are; the answer lists what the server can do.' };
      if (offers('STARTTLS') && !secure)
        return { command: 'STARTTLS', why: 'First hide what follows from everybody on the way.' };
      if (offers('AUTH') && !login && secure) {
        return {
          command: 'AUTH PLAIN ‹base64 of NUL, account, NUL, password›',
          why: 'Log in. The tool “Base64” makes the last word.',
        };
      }
      if (standing.state === 'greeted')
        return { command: `MAIL FROM:<${account}>`, why: 'The envelope: where a bounce would go.' };
      if (standing.state === 'mail') return { command: `RCPT TO:<${other}>`, why: 'The envelope: who is to get it.' };
      return { command: 'DATA', why: 'Ask for permission to send the message itself.' };
    case 'unread':
      if (standing.state === 'not-authenticated')
        return { command: `LOGIN ${account} ‹password›`, why: 'Nobody sees a mailbox without a login.' };
      if (standing.state === 'authenticated') return { command: 'SELECT INBOX', why: 'Open the mailbox.' };
      if (!said.has('SEARCH'))
        return { command: 'SEARCH UNSEEN', why: 'Ask for the numbers of what has no flag \\Seen.' };
      if (!said.has('FETCH'))
        return {
          command: 'FETCH * (FLAGS ENVELOPE)',
          why: 'Look at the envelope of one: put a number that was found in the place of *.',
        };
      return { command: 'LOGOUT', why: 'Say good-bye.' };
    case 'delete':
      if (standing.state === 'authorization') {
        return said.has('USER')
          ? { command: 'PASS ‹password›', why: 'Your password.' }
          : { command: `USER ${account}`, why: 'Your name.' };
      }
      if (!said.has('LIST')) return { command: 'LIST', why: 'See which messages there are, with their numbers.' };
      if (!said.has('DELE')) return { command: 'DELE ‹1›', why: 'Mark one. Nothing has gone yet.' };
      return { command: 'QUIT', why: 'Now it goes, for good.' };
  }
}
