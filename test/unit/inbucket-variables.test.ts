import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

test('the variables of a compose file for Inbucket', () => {
  const config = readConfig([], {
    INBUCKET_LOGLEVEL: 'Debug',
    INBUCKET_MAILBOXNAMING: 'full',
    INBUCKET_SMTP_ADDR: '0.0.0.0:10025',
    INBUCKET_WEB_ADDR: '0.0.0.0:9001',
    INBUCKET_SMTP_DOMAIN: 'inbucket.test',
    INBUCKET_SMTP_REJECTDOMAINS: 'spam.test',
  });
  expect(config).toMatchObject({
    ports: { smtp: 10_025, pop3: 1100, http: 9001, imap: 1143 },
    hosts: ['0.0.0.0', '::'],
    serverName: 'inbucket.test',
    logLevel: 'debug',
    notices: ["of Inbucket's variables, these change nothing here: INBUCKET_SMTP_REJECTDOMAINS"],
  });
});

test('our own beat them', () => {
  const environment = { INBUCKET_WEB_ADDR: '127.0.0.1:9001', GLASSMAIL_HTTP_PORT: '0' };
  expect(readConfig([], environment)).toMatchObject({ ports: { http: 0, smtp: 2500 }, hosts: ['127.0.0.1'] });
});
