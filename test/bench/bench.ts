/**
 * `npm run bench`: how fast, as ratios measured in one run against servers that it starts itself. Flags: `--only
 * ingest,reading,idle,testing,pages`, `--large` (mailboxes of 100,000 messages beside 10,000), `--quick` (a tenth of the
 * load).
 * Progress goes to standard error, the table to standard output.
 */
import { parseArgs } from 'node:util';
import { measureIdle } from './idle.ts';
import { measureIngest } from './ingest.ts';
import { dovecotInstalled, postfixInstalled } from './peers.ts';
import { chromiumInstalled, measurePages } from './pages.ts';
import { measureReading } from './reading.ts';
import { table, type Row } from './table.ts';
import { measureTesting } from './testing.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'ingest,reading,idle,testing,pages' },
    large: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const parts = new Set(values.only.split(','));
const say = (text: string) => process.stderr.write(`${text}\n`);

if (!postfixInstalled || !dovecotInstalled)
  say(
    'Postfix or Dovecot is not installed (apt-get install postfix dovecot-imapd dovecot-lmtpd): its rows are left out.',
  );
if (!chromiumInstalled) say('Chromium is not installed (apt-get install chromium): its rows are left out.');
const scale = values.quick ? 0.1 : 1;
const rows: Row[] = [];
if (parts.has('ingest')) rows.push(...(await measureIngest({ scale, say })));
if (parts.has('reading')) {
  rows.push(...(await measureReading({ messages: Math.round(10_000 * scale), say })));
  if (values.large) rows.push(...(await measureReading({ messages: Math.round(100_000 * scale), say })));
}
if (parts.has('idle'))
  rows.push(...(await measureIdle({ messages: values.large ? 100_000 * scale : 10_000 * scale, say })));
if (parts.has('testing'))
  rows.push(...(await measureTesting({ messages: values.large ? 100_000 * scale : 10_000 * scale, say })));
if (parts.has('pages') && chromiumInstalled)
  rows.push(...(await measurePages({ seconds: 30 * scale, messages: 1000 * scale, say })));
console.log(table(rows));
