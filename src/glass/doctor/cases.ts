/** All cases that can be seen in one conversation, in the order of their numbers. */
import type { Case } from './case.ts';
import { clockDiffers } from './clocks.ts';
import { bareLineFeeds, earlyTalker, injectedBeforeTls, limits } from './lines.ts';
import {
  incompleteName,
  insistsOnTls,
  noCommonMechanism,
  passwordInClear,
  relaying,
  sendingWithoutLogin,
  wrongPassword,
} from './logins.ts';
import { pathPrefix, pop3Deletes } from './mailboxes.ts';
import { harmlessNoise } from './noise.ts';
import {
  httpOnMailPort,
  justLooking,
  madeToFail,
  otherProtocolsPort,
  strangeProtocol,
  userOnServersPort,
} from './ports.ts';
import {
  askingAboutCertificate,
  clearOnTlsPort,
  noCommonTls,
  tlsOnClearPort,
  unknownAuthority,
  wrongHostName,
} from './tls.ts';

export const CASES: readonly Case[] = [
  tlsOnClearPort,
  clearOnTlsPort,
  otherProtocolsPort,
  httpOnMailPort,
  passwordInClear,
  insistsOnTls,
  unknownAuthority,
  askingAboutCertificate,
  wrongHostName,
  clockDiffers,
  noCommonTls,
  noCommonMechanism,
  incompleteName,
  wrongPassword,
  sendingWithoutLogin,
  userOnServersPort,
  relaying,
  pathPrefix,
  pop3Deletes,
  bareLineFeeds,
  earlyTalker,
  injectedBeforeTls,
  justLooking,
  strangeProtocol,
  limits,
  harmlessNoise,
  madeToFail,
];
