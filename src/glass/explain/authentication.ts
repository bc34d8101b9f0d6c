/** SASL mechanisms in words. */
import { saysMechanism } from '../reading/sasl-dialogue.ts';

export function mechanismInWords(mechanism: string): string {
  return saysMechanism(mechanism) ?? 'a mechanism that is not explained here';
}
