/** Sentences with labels of other programs and with values to copy in them. */

export interface Marked {
  /** `label`: as the other program has it on its screen. `value`: to be typed there. */
  readonly type: 'label' | 'value';
  readonly text: string;
}
export type Words = readonly (string | Marked)[];

export const label = (text: string): Marked => ({ type: 'label', text });
export const value = (text: string): Marked => ({ type: 'value', text });

/** A template whose values are marked. */
export function words(strings: TemplateStringsArray, ...parts: readonly Marked[]): Words {
  return strings.flatMap((text, index) => {
    const part = parts[index];
    return part ? [text, part] : [text];
  });
}
