/** Mail for the pages to show, handed in over SMTP as an application would. */
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { TestStack } from '../test-stack.ts';

/** Resolves when the server has said 250. */
export async function send(stack: TestStack, ...letters: readonly SendMailOptions[]): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: stack.port('smtp'), ignoreTLS: true, pool: true });
  try {
    for (const letter of letters) {
      await transport.sendMail({ from: 'Shop <shop@app.test>', to: 'alice@glass.localhost', ...letter });
    }
  } finally {
    transport.close();
  }
}

const RED_DOT =
  'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==';

/** A small correspondence with what is hard to show. */
export const LETTERS: readonly SendMailOptions[] = [
  {
    from: 'Accounts <billing@supplier.test>',
    subject: 'Invoice 2026-0119',
    text: 'Hello Alice,\n\nthe invoice for January is attached.\n\nKind regards\nAccounts\n',
    html: `<div style="font-family: sans-serif; max-width: 560px; margin: 0 auto"><h1 style="color:#0b57d0">Invoice 2026-0119</h1>
      <p>Hello Alice,</p><p>the invoice for January is attached.</p>
      <table border="1" cellpadding="6" style="border-collapse: collapse"><tr><th>Item</th><th>Amount</th></tr><tr><td>Paper</td><td>12.00</td></tr><tr><td>Ink</td><td>31.50</td></tr></table>
      <p><img src="cid:dot" alt="a red dot" width="20" height="20"> <img src="http://tracker.test/pixel.gif" alt="" width="1" height="1"></p>
      <p><a href="https://evil.test/login">https://bank.test/login</a></p></div>`,
    attachments: [
      {
        filename: 'invoice-2026-0119.pdf',
        content: Buffer.from('%PDF-1.4 not really'),
        contentType: 'application/pdf',
      },
      { filename: 'Übersicht \u202Efdp.exe', content: Buffer.from('MZ'), contentType: 'application/octet-stream' },
      { cid: 'dot', filename: 'dot.png', content: Buffer.from(RED_DOT, 'base64'), contentType: 'image/png' },
    ],
  },
  {
    from: 'Door <noreply@door.test>',
    subject: 'Your code is 281734',
    text: 'Your one-time code is 281734. It is valid for ten minutes.',
  },
  {
    from: 'Jürgen Müller <j@red.test>',
    subject: 'Grüße aus Zürich – und eine sehr lange Betreffzeile, die bestimmt nicht in eine Zeile der Liste passt',
    text: 'Hallo!\n\nIch bin gut angekommen. Bilder: https://photos.test/album/42\n',
    to: 'alice@glass.localhost, bob@glass.localhost',
    cc: 'Carol <carol@app.test>',
  },
  {
    from: 'נועה כהן <noa@blue.test>',
    subject: 'שלום, מה שלומך?',
    text: 'שלום אליס,\n\nThis line is English.\nשורה זו בעברית.\n',
  },
  {
    from: 'CI <ci@build.test>',
    to: 'bob@glass.localhost',
    subject: 'Build 8812 failed',
    text: 'Step "test" failed after 3 min 12 s.\nSee https://ci.test/8812\n',
  },
];
