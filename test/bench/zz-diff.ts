import { ImapClient } from './imap-client.ts';
import { startDovecot, startGlassmail } from './peers.ts';
await using g = await startGlassmail(['--accounts', 'reader@bench.test']);
await using d = await startDovecot();
const a = await ImapClient.login(g.ports.imap!, 'reader@bench.test', 'glass');
const b = await ImapClient.login(d.ports.imap!, 'reader@bench.test', 'x');
let seed = Number(process.argv[2] ?? 7); const roll = (n: number) => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >> 8) % n; };
const pick = <T,>(list: readonly T[]) => list[roll(list.length)]!;
const N = 150;
for (let i = 0; i < N; i++) {
  const subject = pick(['', 'apple', 'Re: apple', 'RE: Apple', 'Fwd: [list] apple', '[list] apple', '[list] Re: pear (fwd)', '[fwd: pear]', 'pear', 'Äpfel', '=?utf-8?Q?=C3=A4pfel?=', 'ÄPFEL', 'zebra', 'Re:', '[x]', 'Re: [x]', 'apple  pie', 'apple\tpie', 'a_b', 'Zoo', '😀 x', 're[2]: apple', '[a] [b]']);
  const from = pick(['ann@x.test', 'Zoe <bob@x.test>', '"Quoted, N" <carl@x.test>', '=?utf-8?Q?=C3=84nne?= <dora@x.test>', 'ANN@y.test', '(comment) eve@x.test', 'frank@x.test (Frank F)', '']);
  const lines = [`Message-ID: ${pick([`<${i}@x.test>`, `<"${i}"@x.test>`, `<${roll(N)}@x.test>`, ''])}`];
  if (from) lines.push(`From: ${from}`);
  if (roll(3)) lines.push(`To: ${pick(['x@y', 'Alice <alice@y>', 'b@z, c@z', 'group: m@n, o@p;'])}`);
  if (roll(2)) lines.push(`Cc: ${pick(['q@y', 'R <r@y>'])}`);
  if (subject || roll(2)) lines.push(`Subject: ${subject}`);
  if (roll(5)) lines.push(`Date: ${1 + roll(28)} Jul 2025 1${roll(10)}:00:00 ${pick(['+0000', '-0800', '+0530', 'EST'])}`);
  const refs = Array.from({ length: roll(5) }, () => `<${roll(N)}@x.test>`).join(' ');
  if (refs) lines.push(`References: ${refs}`);
  if (roll(3) === 0) lines.push(`In-Reply-To: <${roll(N)}@x.test>`);
  const message = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${'x'.repeat(roll(30))}\r\n`);
  const when = `"${String(1 + roll(28)).padStart(2, '0')}-Jun-2025 10:${String(roll(60)).padStart(2, '0')}:00 +0000"`;
  for (const c of [a, b]) await c.command(`APPEND INBOX ${when} {${message.length}+}\r\n${message.toString('latin1')}`.replace(/[\u0100-\uffff]/g, '?'));
}
for (const c of [a, b]) await c.command('SELECT INBOX');
let bad = 0;
for (const command of ['SORT (SUBJECT) UTF-8 ALL', 'SORT (REVERSE SUBJECT) UTF-8 ALL', 'SORT (FROM) UTF-8 ALL', 'SORT (TO) UTF-8 ALL', 'SORT (CC) UTF-8 ALL', 'SORT (DATE) UTF-8 ALL', 'SORT (REVERSE DATE) UTF-8 ALL', 'SORT (ARRIVAL) UTF-8 ALL', 'SORT (SIZE) UTF-8 ALL', 'SORT (DISPLAYFROM) UTF-8 ALL', 'SORT (DISPLAYTO) UTF-8 ALL', 'SORT (SUBJECT REVERSE DATE) UTF-8 ALL', 'SORT (CC REVERSE FROM SIZE) UTF-8 2:120','THREAD REFERENCES UTF-8 ALL', 'THREAD ORDEREDSUBJECT UTF-8 ALL', 'THREAD REFERENCES UTF-8 3:80 UNSEEN', 'UID SORT RETURN (MIN MAX COUNT PARTIAL 3:9) (DATE) UTF-8 ALL', 'SEARCH RETURN (PARTIAL -1:-5) ALL']) {
  const get = async (c: ImapClient) => { try { return (await c.command(command)).start.replace(/TAG "\w+"/, '').split('\r\n').find((l) => /^\* (SORT|THREAD|ESEARCH)/.test(l)) ?? '?'; } catch (e) { return String(e); } };
  const [x, y] = [await get(a), await get(b)];
  if (x !== y) { bad++; console.log(command, '\nG', x.slice(0, 1500), '\nD', y.slice(0, 1500)); } else console.log('same', command);
}
process.exit(0);
