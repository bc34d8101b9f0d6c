/** What is not derived yet when somebody asks for it: of small emails here and now, of large ones in another thread. */
import type { MimePart } from '../../mail/mime-tree.ts';
import type { Content, Wanted } from '../mail-store.ts';
import { envelopeOf, keptTree, structureOf, summaryOf, treeOf, type KeptSummary } from './derive.ts';
import type { EmailReads } from './emails.ts';
import type { SearcherClient } from './searcher-client.ts';
import { sortKeyRow, type SortKeyRow } from './sort-key-rows.ts';

export interface Derived {
  envelope?: Uint8Array;
  body?: Uint8Array;
  bodyStructure?: Uint8Array;
  tree?: MimePart;
}

const NO_OCTETS = new Uint8Array();

export class Derivations {
  readonly #emails: EmailReads;
  readonly #searcher: SearcherClient;

  constructor(emails: EmailReads, searcher: SearcherClient) {
    this.#emails = emails;
    this.#searcher = searcher;
  }

  /** @param content if it is at hand @returns undefined: the email is gone meanwhile */
  async derive(emailId: number, wanted: Wanted, content = this.#emails.content(emailId)): Promise<Derived | undefined> {
    if (!content) return undefined;
    const { octets } = content;
    if (!octets) return this.#ofLarge(emailId);
    const derived: Derived = {};
    if (wanted.envelope) derived.envelope = envelopeOf(octets);
    if (wanted.body) derived.body = structureOf(octets, false);
    if (wanted.bodyStructure) derived.bodyStructure = structureOf(octets, true);
    if (wanted.tree) derived.tree = treeOf(octets);
    return derived;
  }

  async #ofLarge(emailId: number): Promise<Derived | undefined> {
    const row = await this.#searcher.derive(emailId);
    if (!row) return undefined;
    const { envelope, body, bodyStructure } = row;
    return { envelope, body, bodyStructure, tree: keptTree(row.tree)! };
  }

  async tree(emailId: number, content: Content): Promise<MimePart> {
    return (await this.derive(emailId, { tree: true }, content))?.tree ?? treeOf(NO_OCTETS);
  }

  async sortKeys(emailId: number): Promise<SortKeyRow> {
    const content = this.#emails.content(emailId);
    const octets = content ? content.octets : NO_OCTETS;
    if (octets) return sortKeyRow(octets);
    return (await this.#searcher.derive(emailId))?.sortKeys ?? sortKeyRow(NO_OCTETS);
  }

  async summary(emailId: number): Promise<KeptSummary> {
    const content = this.#emails.content(emailId);
    const octets = content ? content.octets : NO_OCTETS;
    if (octets) return summaryOf(octets, treeOf(octets));
    const row = await this.#searcher.derive(emailId);
    return row ? (JSON.parse(row.summary) as KeptSummary) : summaryOf(NO_OCTETS, treeOf(NO_OCTETS));
  }
}
